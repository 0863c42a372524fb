/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The call stack by frame pointers. bpf_get_stack would do the same at more
 * than twice the cost, and misses the direct caller at sites where the frame is
 * not set up: there it is read from the canonical frame address, or from the
 * link register.
 */
#ifndef VIGIL_STACK_H
#define VIGIL_STACK_H

/* The running goroutine. */
struct goroutine {
	__u64 id;	  /* 0 is unknown */
	__u64 stack_high; /* where its stack begins, at the top; 0 is unknown */
};

/*
 * Reads the goroutine's identity. A helper call costs more than copying some
 * bytes, so what is close together is read at once. It is not worth waiting for
 * a page: a running goroutine's g is there.
 */
static __always_inline void read_goroutine(struct goroutine *g, struct pt_regs *ctx, struct params *p)
{
	__u64 at = REG_G(ctx), words[G_WORDS];
	__u64 id = p->goid_offset, high = p->stack_offset;

	g->id = g->stack_high = 0;
	if (id && high && id / 8 < G_WORDS && high / 8 < G_WORDS) {
		bpf_probe_read_user(words, sizeof(words), (void *)at);
		id /= 8;
		opaque(id);
		g->id = id < G_WORDS ? words[id] : 0;
		high /= 8;
		opaque(high);
		g->stack_high = high < G_WORDS ? words[high] : 0;
		return;
	}
	if (id)
		bpf_probe_read_user(&g->id, sizeof(g->id), (void *)(at + id));
	if (high)
		bpf_probe_read_user(&g->stack_high, sizeof(g->stack_high), (void *)(at + high));
}

/*
 * How much of the goroutine's stack is above the frame: the same for the entry
 * and the return of a call, also when the stack was moved in between, and
 * different for the calls of a recursion.
 */
static __always_inline __u32 stack_depth(struct goroutine *g, __u64 cfa)
{
	return g->stack_high > cfa && g->stack_high - cfa < 1ULL << 32 ? g->stack_high - cfa : 0;
}

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

/*
 * Finds the 16 bytes of stack at addr in the block that was read last, or reads
 * the block that begins there: as a rule one read has every frame of interest.
 * NULL when they cannot be read.
 */
static __always_inline __u64 *stack_words(struct scratch *s, __u64 addr)
{
	__u64 off = addr - s->block_addr;

	if (off >= s->block_bytes || s->block_bytes - off < 16) {
		s->block_addr = addr;
		s->block_bytes = STACK_BLOCK;
		if (bpf_probe_read_user(s->block, STACK_BLOCK, (void *)addr)) {
			/* The block leaves what is mapped, or the page is not there. */
			s->block_bytes = 16;
			if (read_user(s->block, 16, addr))
				return NULL;
		}
		off = 0;
	}
	return (__u64 *)&s->block[masked(off, STACK_BLOCK - 1)];
}

static long walk_frame(__u64 i, struct walk *w)
{
	struct scratch *s = w->s;
	__u64 fp = s->fp;

	if (!fp || s->frames >= s->frames_max)
		return 1;
	__u64 *frame = stack_words(s, fp);

	if (!frame || !frame[1])
		return 1;
	push_frame(s, frame[1]);
	/* Stacks grow down, so callers' frames are above: anything else is a
	 * register that did not hold a frame pointer, or a loop. */
	if (frame[0] <= fp)
		return 1;
	s->fp = frame[0];
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
	s->block_bytes = 0;
	push_frame(s, REG_IP(ctx));
	if (!site->framed) {
		__u64 pc = REG_LR(ctx);

		if (RETURN_IS_PUSHED) {
			__u64 *top = stack_words(s, REG_SP(ctx) + (__s64)site->cfa - 8);

			pc = top ? *top : 0;
		}
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
