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
#include "throttle.h"
#include "stack.h"
#include "interp.h"

/* bpf_probe_read_user is offered to GPL-compatible programs only. */
char __license[] SEC("license") = "GPL";

static __always_inline struct scratch *claim(__u32 cpu)
{
	for (int i = 0; i < SCRATCH_SLOTS; i++) {
		__u32 key = (cpu * SCRATCH_SLOTS + i) % scratch_slots;
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

static __always_inline __u64 goid(struct pt_regs *ctx, struct params *p)
{
	__u64 id = 0;

	/* Not worth waiting for a page: a running goroutine's g is there. */
	if (p->goid_offset)
		bpf_probe_read_user(&id, sizeof(id), (void *)(REG_G(ctx) + p->goid_offset));
	return id;
}

/*
 * Waking the reader costs nearly as much as everything else, so it happens at
 * most every WAKE_NS while events flow, unless they come so fast that the ring
 * could fill up in between. The reader looks again on its own after that time.
 */
static __always_inline __u64 wake_flags(__u64 now)
{
	if (now - last_wake < WAKE_NS && bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) < wake_bytes)
		return BPF_RB_NO_WAKEUP;
	last_wake = now;
	return BPF_RB_FORCE_WAKEUP;
}

static __always_inline void submit(struct scratch *s, struct stats *st, __u64 start)
{
	struct event_header *h = (void *)s->out;
	__u64 length = s->vm.cursor;
	__u64 now = bpf_ktime_get_ns();

	h->length = length;
	if (s->vm.incomplete) {
		h->flags |= EVENT_INCOMPLETE;
		count(st->incomplete, 1);
	}
	if (s->vm.faults)
		count(st->faults, s->vm.faults);
	opaque(length);
	if (length > OUT_BYTES)
		return;
	if (bpf_ringbuf_output(&ring, s->out, length, wake_flags(now)))
		count(st->ring_full, 1);
	else
		count(st->sent, 1);
	count(st->busy_ns, now - start);
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
	__u32 key = p->first_site + index;
	struct site *site = bpf_map_lookup_elem(&sites, &key);

	if (!site)
		return 0;
	__u64 start = bpf_ktime_get_ns();

	count(st->hits, 1);
	if (!admit(probe, p, start)) {
		count(st->throttled, 1);
		return 0;
	}
	struct scratch *s = claim(bpf_get_smp_processor_id());

	if (!s) {
		count(st->no_scratch, 1);
		return 0;
	}
	struct event_header *h = (void *)s->out;
	__u64 id = bpf_get_current_pid_tgid();

	h->version = EVENT_VERSION;
	h->probe = probe;
	h->site = index;
	h->tgid = id >> 32;
	h->tid = id;
	h->target = target;
	h->flags = 0;
	h->goid = goid(ctx, p);
	h->ktime = start;
	__u64 frames = walk_stack(s, ctx, site, p->frames);

	h->frames = frames;
	s->vm.cursor = sizeof(*h) + frames * 8;
	copy_registers(s->regs, ctx);
	interpret(s, p, site, REG_SP(ctx) + (__s64)site->cfa);
	submit(s, st, start);
	release(s);
	return 0;
}
