/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
#ifndef VIGIL_UTIL_H
#define VIGIL_UTIL_H

/*
 * Hides where a value comes from. Without it the compiler sees that a mask
 * cannot change a value that was checked before, and removes the mask the
 * verifier needs to see.
 */
#define opaque(v) asm volatile("" : "+r"(v))

static __always_inline __u64 masked(__u64 v, __u64 mask)
{
	opaque(v);
	return v & mask;
}

/* Counters are per CPU, but a preempted program can be in the middle of one. */
#define count(counter, n) __sync_fetch_and_add(&(counter), (n))

/*
 * Reads the process's memory. The first attempt does not fault pages in and is
 * what nearly always succeeds; a page that was never touched (rodata above
 * all), or is swapped out, is worth waiting for when the program may sleep.
 * On failure the destination is zero.
 */
static __always_inline long read_user(void *to, __u64 size, __u64 from)
{
	long err = bpf_probe_read_user(to, size, (void *)from);

	/* Constant when the program is loaded: the verifier drops the branch
	 * from a program that must not sleep. */
	if (err && sleepable)
		err = bpf_copy_from_user(to, size, (void *)from);
	return err;
}

#endif
