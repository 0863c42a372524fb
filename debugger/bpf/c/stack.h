/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The call stack by frame pointers. bpf_get_stack would do the same at more
 * than twice the cost, and misses the direct caller at sites where the frame is
 * not set up: there it is read from the canonical frame address, or from the
 * link register.
 */
#ifndef VIGIL_STACK_H
#define VIGIL_STACK_H

struct walk {
	struct scratch *s;
};

static __always_inline void push_frame(struct scratch *s, __u64 pc)
{
	__u64 n = s->frames;

	if (n >= s->frames_max)
		return;
	*(__u64 *)&s->out[sizeof(struct event_header) + masked(n, FRAMES - 1) * 8] = pc;
	s->frames = n + 1;
	/* FNV-1a, by words. */
	s->stack = (s->stack ^ pc) * 0x100000001b3ULL;
}

static long walk_frame(__u64 i, struct walk *w)
{
	struct scratch *s = w->s;
	__u64 fp = s->fp;
	struct {
		__u64 fp, pc;
	} frame;

	if (!fp || s->frames >= s->frames_max)
		return 1;
	if (read_user(&frame, sizeof(frame), fp) || !frame.pc)
		return 1;
	push_frame(s, frame.pc);
	/* Stacks grow down, so callers' frames are above: anything else is a
	 * register that did not hold a frame pointer, or a loop. */
	if (frame.fp <= fp)
		return 1;
	s->fp = frame.fp;
	return 0;
}

/* Writes the program counters after the header and returns their number. */
static __always_inline __u64 walk_stack(struct scratch *s, struct pt_regs *ctx, struct site *site,
					__u64 limit)
{
	struct walk w = {.s = s};

	if (!limit)
		return 0;
	s->frames = 0;
	s->stack = 0xcbf29ce484222325ULL;
	s->frames_max = limit > FRAMES ? FRAMES : limit;
	s->fp = REG_FP(ctx);
	push_frame(s, REG_IP(ctx));
	if (!site->framed) {
		__u64 pc = REG_LR(ctx);

		if (RETURN_IS_PUSHED)
			read_user(&pc, sizeof(pc), REG_SP(ctx) + site->cfa - 8);
		if (!pc)
			return s->frames;
		push_frame(s, pc);
	}
	bpf_loop(FRAMES, walk_frame, &w, 0);
	return masked(s->frames, 2 * FRAMES - 1);
}

/*
 * Reports whether the reader was sent this stack, and remembers nothing: that is
 * for after it was sent.
 */
static __always_inline bool stack_known(__u64 hash)
{
	__u32 key = hash & ((1 << STACK_BITS) - 1);
	__u64 *known = bpf_map_lookup_elem(&stacks, &key);

	return known && *(volatile __u64 *)known == hash;
}

static __always_inline void stack_sent(__u64 hash)
{
	__u32 key = hash & ((1 << STACK_BITS) - 1);
	__u64 *known = bpf_map_lookup_elem(&stacks, &key);

	if (known)
		*(volatile __u64 *)known = hash;
}

#endif
