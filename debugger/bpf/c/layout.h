/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What userspace and the program agree on. bpf2go generates the Go side of the
 * structures; the event's framing is written down in event/doc.go and the
 * byte-code in plan/code.go.
 */
#ifndef VIGIL_LAYOUT_H
#define VIGIL_LAYOUT_H

#define EVENT_VERSION 3
#define EVENT_INCOMPLETE 1
#define EVENT_MORE 2	 /* a fragment that is not the last */
#define EVENT_SEQUENCE 8 /* shift of the fragment's number */

#define ITEM_BYTES 8192	     /* plan.MaxItem */
#define FRAGMENT_BYTES 32768 /* the most bytes of one record of the ring; a power of two */
#define FRAGMENTS 16	     /* the most records of one hit; a power of two */
#define FRAMES 128	     /* the most program counters of one event; a power of two */
#define STACK_BITS 10	     /* log2 of the number of stacks the reader is known to have */
#define QUEUE 1024	     /* items waiting to be scanned; a power of two */
#define SEEN_BITS 10	     /* log2 of the number of remembered items */
#define STEPS 65536	     /* instructions run for one hit */
#define BATCH 4		     /* of them in one turn of the loop */
#define MAP_SLOTS 8	     /* entries of a group of a map */
#define GROUPS_MAX 65536     /* groups of one map that are looked at */
#define SCRATCH_SLOTS 4	    /* tried for one hit */
#define DICTIONARY_FAR 2147483648 /* plan.DictionaryFar */
#define LEFT 1024	     /* marks of charge.h; a power of two */
#define INDEX_BITS 16	    /* of the probes of a session and the sites of a probe in the cookie */
#define INDEX_MASK ((1 << INDEX_BITS) - 1)
#define WAKE_NS 10000000ULL /* the longest time between wake-ups of the reader while events flow */

enum op_code {
	OP_END,
	OP_REGISTER,
	OP_STACK,
	OP_HOLE,
	OP_POINTER,
	OP_STRING,
	OP_SLICE,
	OP_INTERFACE,
	OP_RING,
	OP_GROUPS,
	OP_INSTANCE,
	OP_KEEP,
	OP_KEPT,
};

/* plan.Op.Flags */
#define OP_FREE 1   /* costs no level of depth */
#define OP_DIRECT 2 /* of a dynamic type: the data word is the value */
#define OP_ITAB 4   /* the type word leads to an itab */
#define OP_BUCKET 8 /* slots are marked as in buckets, not as in groups of a Swiss map */

/* Where OP_GROUPS finds groups; in op.reg. */
enum groups {
	GROUPS_SMALL,	/* one, unless the word at aux is set */
	GROUPS_TABLE,	/* those of the table of limit bytes: pointer there at cfa, mask at aux */
	GROUPS_BUCKETS, /* 1 << the byte at aux */
	GROUPS_OLD,	/* the same, or half as many when the byte at cfa lacks the bit in limit */
	GROUPS_NEXT,	/* one: the overflow of a bucket */
};

/* event.Reason */
enum reason {
	REASON_NONE,
	REASON_UNAVAILABLE,
	REASON_LENGTH,
	REASON_COLLECTION,
	REASON_TOO_LARGE,
	REASON_POINTERS,
};
#define REASON_SHIFT 27

/* One instruction, plan.Op. */
struct op {
	__u8 code;
	__u8 reg;
	__u8 reason;
	__u8 flags;
	__u32 offset;
	__s32 cfa;
	__u32 size;
	__u32 limit;
	__u32 type;
	__u32 routine;
	__u32 aux;
};

/* A dynamic type of a probe; leads to what OP_INTERFACE does with values. */
struct dynamic {
	__u32 probe;
	__u32 offset; /* of the type, from runtime.types */
};

/* One probe. Its index is in the attach cookie: target << 32 | probe << 16 | site. */
struct params {
	__u64 interval;	   /* throttle: nanoseconds one hit costs; 0 is no throttle */
	__u64 burst;	   /* throttle: nanoseconds of credit an idle probe has */
	__u32 code;	   /* its first instruction */
	__u32 root_size;   /* bytes of the root item */
	__u32 depth;	   /* pointers to follow */
	__u32 goid_offset; /* of goid in runtime.g; 0 is unknown */
	__u32 stack_offset; /* of stack.hi in runtime.g; 0 is unknown */
	__u32 throttle;	   /* whose credit it takes; probes can share one */
	__u32 first_site;  /* index in sites */
	__u32 frames;	   /* program counters to collect, at most FRAMES */
};

/* What a site is to the calls of a function whose returns are probed too. */
enum end {
	END_NONE,
	END_ENTRY,
	END_RETURN,
};

/* A call in progress. */
struct call {
	__u64 goid;
	__u32 target;
	__u32 probe;
	__u32 depth; /* of its frame: bytes of the goroutine's stack above it */
	__u32 pad;
};

/* What its entry leaves to its return. */
struct began {
	__u64 ktime;
	__u64 kept; /* the dictionary of a generic function; 0 for others */
};

/* One site. The index in the attach cookie counts from first_site. */
struct site {
	__s32 cfa;     /* from the stack pointer to the canonical frame address */
	__u32 framed;  /* the frame pointer is this function's, not its caller's */
	__u32 routine; /* of the probe's code, what fills the root here */
	__u32 end;     /* enum end */
	__s64 types; /* from the instruction to runtime.types */
};

/* What happened to the hits of one probe on one CPU. */
struct stats {
	__u64 hits;	  /* the program ran at an entry or a line */
	__u64 throttled;  /* over the rate */
	__u64 sent;	  /* submitted to the ring */
	__u64 ring_full;  /* the ring had no room */
	__u64 no_scratch; /* every scratch slot of the CPU was taken */
	__u64 faults;	  /* reads of the process's memory that failed */
	__u64 incomplete; /* events whose capture stopped early */
	__u64 busy_ns;	  /* time spent in hits that were not throttled */
	__u64 returns;	  /* the program ran at a return */
	__u64 unmatched;  /* returns of calls that were not captured */
	__u64 passed;	  /* hits and returns that were left to another session */
};

struct event_header {
	__u32 length;
	__u16 version;
	__u16 frames;
	__u32 probe;
	__u32 site;
	__u32 tgid;
	__u32 tid;
	__u32 target;
	__u32 flags;
	__u64 goid;
	__u64 ktime;
	__u64 stack;	/* hash of the program counters; 0 when there are none */
	__u64 pc;	/* of the probed instruction */
	__u32 depth;	/* bytes of the goroutine's stack above the frame; 0 is unknown */
	__u32 cpu;
	__u64 entry;	/* at a return, ktime at the entry; else 0 */
};

struct item_header {
	__u32 type;
	__u32 length;
	__u64 addr;
};

#endif
