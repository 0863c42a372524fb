/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * Scratch memory: where an event is built. One slot is
 *
 *	out     | header | program counters | root item | item … | header | item … |slack|
 *	        '- the first fragment, FRAGMENT_BYTES            '- the next one
 *	queue   ring of items whose elements have yet to be scanned
 *	seen    direct-mapped memory of what was captured during this hit
 *	regs    the registers at the hit, in DWARF order
 *	vm      where the interpreter is
 *
 * A slot belongs to one hit from claim to release. A single buffer per CPU
 * would not do: a sleepable program can be suspended in the middle of a read,
 * and on a preemptible kernel any program can, while another thread runs the
 * same program on the same CPU. Slots are tied to CPUs only to keep them apart
 * in the caches; a hit that finds the slots of its CPU taken is dropped and
 * counted.
 *
 * Offsets into out are kept in 64 bits and masked right before use: a bound
 * checked in 32 bits is lost to the verifier when the value is widened. The
 * slack after out lets a masked offset plus the longest read stay inside.
 */
#ifndef VIGIL_SCRATCH_H
#define VIGIL_SCRATCH_H

#define STACK_BLOCK 1024 /* bytes of stack read at once; a power of two */
#define NEAR_BYTES 1024	 /* read ahead at most; a power of two */
#define NEAR_COPY 256	 /* the longest item that is taken from there */
#define PAGE_BYTES 4096	 /* the least that any processor has */
#define G_WORDS 24	 /* of runtime.g that are read at once: goid and stack are within */
#define OUT_BYTES (FRAGMENT_BYTES * FRAGMENTS)
#define OUT_MASK (OUT_BYTES - 1)

/* An item to scan: its data is out[base, end), in elements of stride bytes. */
struct scan {
	__u32 base, end;
	__u32 stride;
	__u32 routine; /* what to run on each element */
	__u32 depth;   /* pointers that may still be followed from here */
	__u32 left;    /* entries that are still wanted of the map the item is part of */
};

struct seen {
	__u64 addr;
	__u32 type;
	__u32 length;
	__u32 depth;
	__u32 epoch; /* the hit it is about: saves clearing the table */
};

struct vm {
	__u64 cursor;	  /* first free byte of out */
	__u64 data;	  /* of the last captured item, in out */
	__u64 fragment;	  /* where in out the current fragment starts */
	__u64 fragments;  /* that are closed */
	__u64 types;	  /* run-time address of runtime.types */
	__u64 walk, walk_left; /* next group of a map, or part of a ring, and how many follow */
	__u64 head, tail; /* queue, as ever growing numbers */
	__u64 pc;	  /* next instruction, relative to the probe's code */
	__u64 faults;
	__u64 kept;	  /* what an entry keeps with its call, or has kept at a return */
	__u32 steps;	  /* instructions that were run */
	__u32 incomplete;
	struct scan at; /* what is being scanned; base is the current element */
};

struct scratch {
	__u32 busy;
	__u32 epoch;
	__u64 regs[REGISTERS];
	/* The stack walk. Its state is here, and not on the program's stack,
	 * because the verifier knows nothing about what a map holds: it would
	 * follow a counter it knows through every value. */
	__u64 fp, frames, frames_max, stack;
	__u64 block_addr, block_bytes; /* of the process's memory in block */
	__u8 block[STACK_BLOCK + 16];  /* the part of the stack that is walked */
	struct vm vm;
	__u64 near_addr, near_bytes; /* of the process's memory in near */
	__u8 near[NEAR_BYTES + NEAR_COPY];
	__u64 lengths[FRAGMENTS]; /* of closed fragments */
	struct seen seen[1 << SEEN_BITS];
	struct scan queue[QUEUE];
	__u8 out[OUT_BYTES + ITEM_BYTES + 64];
};

#endif
