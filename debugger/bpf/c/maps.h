/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 *	cookie --> params --> code        byte-code of every probe, end to end
 *	              |  |         `--> dynamics   what to do with dynamic types
 *	              |  `--> sites
 *	              `-----> throttle, stats
 *	cpu -----> scratch --> ring --> reader
 *	stacks     the call stacks the reader has
 *	calls      the captured calls whose return is to be captured
 *	charge     which of several sessions takes the hits
 *
 * Sizes marked 1 are set by the loader before the maps are created.
 */
#ifndef VIGIL_MAPS_H
#define VIGIL_MAPS_H

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct params);
} params SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct site);
} sites SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct op);
} code SEC(".maps");

/* Not per probe, so that what is not there costs one look. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct dynamic);
	__type(value, struct op);
} dynamics SEC(".maps");

/* Hashes of stacks the reader was sent, by their low bits. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << STACK_BITS);
	__type(key, __u32);
	__type(value, __u64);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stats);
} stats SEC(".maps");

/* The time at which each probe's credit is whole again; see throttle.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} throttle SEC(".maps");

/* The captured calls that have not returned. What a panic took away is
 * overwritten by the next call of the frame, or is the least recently used. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct call);
	__type(value, struct began);
} calls SEC(".maps");

/* Shared by the sessions of a hand-over; see charge.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 + LEFT);
	__type(key, __u32);
	__type(value, __u64);
} charge SEC(".maps");

/* SCRATCH_SLOTS of every CPU, side by side; CPUs share them where there are many. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

/* The program may sleep, so reads may wait for a page. Set by the loader. */
const volatile bool sleepable = false;
/* Entries of scratch, and how far apart CPUs begin to look there. Set by the loader. */
const volatile __u32 scratch_slots = 1;
const volatile __u32 scratch_per_cpu = 1;
/* Bytes waiting in the ring at which the reader is woken. */
const volatile __u64 wake_bytes = 1 << 20;
/* Of this session among those that share charge; the later ones have higher ones. */
const volatile __u32 number = 1;
/* When the reader was last woken, and whether it was because so much was waiting
 * and still has much to read. A race costs one wake-up more or less. */
__u64 last_wake = 0;
__u32 filling = 0;

#endif
