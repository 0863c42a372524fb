/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * What userspace and the program agree on. bpf2go generates the Go side of the
 * structures; the event's framing is written down in event/doc.go and the
 * byte-code in plan/code.go.
 */
#ifndef VIGIL_LAYOUT_H
#define VIGIL_LAYOUT_H

#define EVENT_VERSION 1
#define EVENT_INCOMPLETE 1

#define ITEM_BYTES 8192	    /* plan.MaxItem */
#define OUT_BYTES 32768	    /* the most bytes of one event; a power of two */
#define FRAMES 128	    /* the most program counters of one event; a power of two */
#define QUEUE 256	    /* items waiting to be scanned; a power of two */
#define SEEN_BITS 8	    /* log2 of the number of remembered items */
#define STEPS 8192	    /* instructions run for one hit */
#define SCRATCH_SLOTS 4	    /* tried for one hit */
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
	__u8 pad;
	__u32 offset;
	__s32 cfa;
	__u32 size;
	__u32 limit;
	__u32 type;
	__u32 routine;
	__u32 reserved;
};

/* One probe. Its index is in the attach cookie: target << 32 | probe << 16 | site. */
struct params {
	__u64 interval;	   /* throttle: nanoseconds one hit costs; 0 is no throttle */
	__u64 burst;	   /* throttle: nanoseconds of credit an idle probe has */
	__u32 code;	   /* its first instruction */
	__u32 root_size;   /* bytes of the root item */
	__u32 depth;	   /* pointers to follow */
	__u32 goid_offset; /* of goid in runtime.g; 0 is unknown */
	__u32 first_site;  /* index in sites */
	__u32 frames;	   /* program counters to collect, at most FRAMES */
};

/* One site. The index in the attach cookie counts from first_site. */
struct site {
	__s32 cfa;     /* from the stack pointer to the canonical frame address */
	__u32 framed;  /* the frame pointer is this function's, not its caller's */
	__u32 routine; /* of the probe's code, what fills the root here */
};

/* What happened to the hits of one probe on one CPU. */
struct stats {
	__u64 hits;	  /* the program ran */
	__u64 throttled;  /* over the rate */
	__u64 sent;	  /* submitted to the ring */
	__u64 ring_full;  /* the ring had no room */
	__u64 no_scratch; /* every scratch slot of the CPU was taken */
	__u64 faults;	  /* reads of the process's memory that failed */
	__u64 incomplete; /* events whose capture stopped early */
	__u64 busy_ns;	  /* time spent in hits that were not throttled */
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
};

struct item_header {
	__u32 type;
	__u32 length;
	__u64 addr;
};

#endif
