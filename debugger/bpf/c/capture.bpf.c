/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * One program for every site of every probe. A hit is
 *
 *	cookie -> params -> throttle -> scratch slot
 *	       -> header, stack, byte-code -> ring buffer
 *
 * maps.h has the maps, scratch.h the memory an event is built in, interp.h the
 * interpreter of the byte-code, and layout.h what userspace must agree on.
 *
 * The loader turns the program into four: attached through uprobe_multi or
 * through perf events, and allowed to sleep or not.
 */
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

#include "arch.h"
#include "layout.h"
#include "scratch.h"
#include "maps.h"
#include "util.h"
#include "charge.h"
#include "throttle.h"
#include "stack.h"
#include "interp.h"

/* bpf_probe_read_user is offered to GPL-compatible programs only. */
char __license[] SEC("license") = "GPL";

static __always_inline struct scratch *claim(__u32 cpu)
{
	for (int i = 0; i < SCRATCH_SLOTS; i++) {
		__u32 key = cpu * scratch_per_cpu + i;

		if (key >= scratch_slots)
			key %= scratch_slots;
		struct scratch *s = bpf_map_lookup_elem(&scratch, &key);

		if (s && !__sync_val_compare_and_swap(&s->busy, 0, 1))
			return s;
	}
	return NULL;
}

static __always_inline void release(struct scratch *s)
{
	__sync_lock_test_and_set(&s->busy, 0);
}

/*
 * Waking the reader costs as much as everything else, so it happens every WAKE_NS
 * while events flow, and when the ring becomes so full that it could fill up in
 * between. Once is enough: a reader that was woken reads until the ring is empty.
 * To wake it at every event from there on made the calls two to three times as slow
 * in bursts of 5,000 events of 1 KiB, for at most some per cent more that came
 * through a ring of 4 MiB. It looks again on its own after WAKE_NS.
 */
static __always_inline __u64 wake_flags(__u64 now, __u64 more)
{
	__u64 waiting = bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) + more;
	bool fills = waiting >= wake_bytes && !filling;

	if (fills)
		filling = 1;
	else if (filling && waiting < wake_bytes / 2)
		filling = 0;
	if (!fills && now - last_wake < WAKE_NS)
		return BPF_RB_NO_WAKEUP;
	last_wake = now;
	return BPF_RB_FORCE_WAKEUP;
}

/* Sends the fragments, in order; a failure loses those after it too. */
static __always_inline bool send(struct scratch *s, __u64 wake)
{
	struct vm *vm = &s->vm;
	struct event_header *first = (void *)s->out;
	__u64 last = vm->fragments;

	s->lengths[masked(last, FRAGMENTS - 1)] = vm->cursor - vm->fragment;
	for (__u64 i = 0; i < FRAGMENTS; i++) {
		struct event_header *h = (void *)&s->out[i * FRAGMENT_BYTES];
		__u64 length = s->lengths[i];
		__u32 flags = i << EVENT_SEQUENCE;

		if (i > last)
			break;
		if (i) {
			*h = *first;
			h->frames = 0;
		}
		h->length = length;
		if (i < last)
			flags |= EVENT_MORE;
		else if (vm->incomplete)
			flags |= EVENT_INCOMPLETE;
		h->flags = flags;
		opaque(length);
		if (length > FRAGMENT_BYTES)
			return false;
		if (bpf_ringbuf_output(&ring, h, length, i < last ? BPF_RB_NO_WAKEUP : wake))
			return false;
	}
	return true;
}

/* Wakes the reader without an event. */
static __always_inline void wake_reader(void)
{
	void *nothing = bpf_ringbuf_reserve(&ring, 8, 0);

	if (nothing)
		bpf_ringbuf_discard(nothing, BPF_RB_FORCE_WAKEUP);
}

static __always_inline void submit(struct scratch *s, struct stats *st, __u64 start, __u64 stack)
{
	__u64 now = bpf_ktime_get_ns();

	if (s->vm.incomplete)
		count(st->incomplete, 1);
	if (s->vm.faults)
		count(st->faults, s->vm.faults);
	__u64 wake = wake_flags(now, s->vm.cursor);

	if (send(s, wake)) {
		count(st->sent, 1);
		if (stack)
			stack_sent(stack);
	} else {
		count(st->ring_full, 1);
		if (wake == BPF_RB_FORCE_WAKEUP)
			wake_reader();
	}
	count(st->busy_ns, now - start);
}

/*
 * A call is captured at both ends or at none: its return asks whether the entry
 * was. Reports whether the hit is to be captured, and counts it otherwise; entry
 * is what that of a return has left.
 */
static __always_inline bool wanted(struct pt_regs *ctx, struct params *p, struct site *site, struct stats *st,
				   struct call *call, __u64 now, struct began *entry)
{
	bool known = call->goid && call->depth;

	if (site->end == END_RETURN) {
		struct began *began = known ? bpf_map_lookup_elem(&calls, call) : NULL;

		count(st->returns, 1);
		if (!began) {
			count(st->unmatched, 1);
			return false;
		}
		*entry = *began;
		bpf_map_delete_elem(&calls, call);
		return true;
	}
	count(st->hits, 1);
	if (!admit(p, now)) {
		count(st->throttled, 1);
		/* What is left of a call that a panic took away is not this one. */
		if (site->end == END_ENTRY && known)
			bpf_map_delete_elem(&calls, call);
		return false;
	}
	if (site->end == END_ENTRY && known) {
		struct began began = {.ktime = now};

		bpf_map_update_elem(&calls, call, &began, BPF_ANY);
	}
	return true;
}

/* Keeps the dictionary that an entry has found until the call returns. */
static __always_inline void keep(struct call *call, __u64 dictionary)
{
	struct began *began = bpf_map_lookup_elem(&calls, call);

	if (began)
		began->kept = dictionary;
}

SEC("uprobe")
int on_hit(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 target = cookie >> (2 * INDEX_BITS);
	__u32 probe = cookie >> INDEX_BITS & INDEX_MASK, index = cookie & INDEX_MASK;
	struct params *p = bpf_map_lookup_elem(&params, &probe);
	struct stats *st = bpf_map_lookup_elem(&stats, &probe);

	if (!p || !st)
		return 0;
	__u64 id = bpf_get_current_pid_tgid();

	if (!in_charge(id, cookie)) {
		count(st->passed, 1);
		return 0;
	}
	__u32 key = p->first_site + index;
	struct site *site = bpf_map_lookup_elem(&sites, &key);

	if (!site)
		return 0;
	__u64 start = bpf_ktime_get_ns();
	struct began entry = {};
	__u64 cfa = REG_SP(ctx) + (__s64)site->cfa;
	struct goroutine g;
	struct call call = {.target = target, .probe = probe};

	if (site->end) {
		read_goroutine(&g, ctx, p);
		call.goid = g.id;
		call.depth = stack_depth(&g, cfa);
	}
	if (!wanted(ctx, p, site, st, &call, start, &entry))
		return 0;
	struct scratch *s = claim(bpf_get_smp_processor_id());

	if (!s) {
		count(st->no_scratch, 1);
		return 0;
	}
	if (!site->end)
		read_goroutine(&g, ctx, p);
	struct event_header *h = (void *)s->out;

	h->version = EVENT_VERSION;
	h->probe = probe;
	h->site = index;
	h->tgid = id >> 32;
	h->tid = id;
	h->target = target;
	h->goid = g.id;
	h->ktime = start;
	h->pc = REG_IP(ctx);
	h->depth = stack_depth(&g, cfa);
	h->entry = entry.ktime;
	h->cpu = bpf_get_smp_processor_id();
	__u64 frames = walk_stack(s, ctx, site, p->frames), stack = 0, fresh = 0;

	if (frames) {
		stack = s->stack;
		if (stack_known(stack))
			frames = 0;
		else
			fresh = stack;
	}
	h->stack = stack;
	h->frames = frames;
	s->vm.cursor = sizeof(*h) + frames * 8;
	s->vm.types = REG_IP(ctx) + site->types;
	copy_registers(s->regs, ctx);
	s->vm.kept = entry.kept;
	interpret(s, p, site, cfa, probe);
	if (site->end == END_ENTRY && s->vm.kept)
		keep(&call, s->vm.kept);
	submit(s, st, start, fresh);
	release(s);
	return 0;
}
