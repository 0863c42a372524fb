/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The hand-over from one session to the next. Both are on the same sites for a
 * while, and the first word of charge is the number of the one that takes the
 * hits. Each of the two reads it at a time of its own, so the word alone would let
 * a hit through that comes just then.
 *
 * The kernel runs what was attached last first (consumer_add in
 * kernel/events/uprobes.c): the later session decides about a hit, and leaves a
 * mark when it leaves it to the one before, which takes what is marked whatever
 * the word says by then. A mark lives for the time between the two programs, and
 * is lost only to another thread with the same slot in that time.
 */
#ifndef VIGIL_CHARGE_H
#define VIGIL_CHARGE_H

/* Reports whether the session takes a hit. */
static __always_inline bool in_charge(__u32 tid, __u64 cookie)
{
	__u32 zero = 0, probe = cookie >> INDEX_BITS & INDEX_MASK;
	__u32 slot = 1 + ((tid + 61 * probe + (__u32)cookie) & (LEFT - 1));
	volatile __u64 *holder = bpf_map_lookup_elem(&charge, &zero);
	volatile __u64 *left = bpf_map_lookup_elem(&charge, &slot);
	__u64 mark = (__u64)tid << 32 | (__u32)cookie;

	if (!holder || !left)
		return false;
	__u64 now = *holder;

	if (number > now) {
		*left = mark;
		return false;
	}
	if (*left != mark)
		return number == now;
	*left = 0;
	return true;
}

#endif
