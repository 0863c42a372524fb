/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * A token bucket kept in one word, the time at which it is full again: taking a
 * token moves that time interval later, and is refused when it would be more
 * than burst ahead of now (the generic cell rate algorithm). One compare and
 * swap makes it exact on any number of CPUs without a lock, which tracing
 * programs may not take.
 */
#ifndef VIGIL_THROTTLE_H
#define VIGIL_THROTTLE_H

static __always_inline bool admit(struct params *p, __u64 now)
{
	if (!p->interval)
		return true;
	__u32 key = p->throttle;
	__u64 *full = bpf_map_lookup_elem(&throttle, &key);

	if (!full)
		return false;
	/* Losing the race means that another CPU took a token just now: try
	 * again, but not without a bound. */
	for (int i = 0; i < 4; i++) {
		__u64 old = *(volatile __u64 *)full;
		__u64 next = (old > now ? old : now) + p->interval;

		if (next - now > p->burst)
			return false;
		if (__sync_val_compare_and_swap(full, old, next) == old)
			return true;
	}
	return false;
}

#endif
