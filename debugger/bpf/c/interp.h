/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only */
/*
 * The interpreter. bpf_loop runs one instruction at a time, so the verifier
 * sees one small body, whatever the types of the probed function are.
 *
 * Captured items are scanned in the order they were captured, like a copying
 * garbage collector does: what is close to the arguments is captured before
 * what is far, and an event that runs out of room loses the far end.
 *
 * Every loop is bounded without trusting the process: each followed value takes
 * room in out or is already known, depth bounds chains, STEPS bounds all.
 */
#ifndef VIGIL_INTERP_H
#define VIGIL_INTERP_H

struct run {
	struct scratch *s;
	__u64 cfa;
	__u32 code;
};

/* Appends an item of len bytes read from addr; returns the bytes captured. */
static __always_inline __u64 capture(struct scratch *s, __u32 type, __u32 reason, __u64 addr,
				     __u64 len)
{
	struct vm *vm = &s->vm;
	__u64 at = vm->cursor;

	if (at > OUT_BYTES - sizeof(struct item_header)) {
		vm->incomplete = 1;
		return 0;
	}
	if (len > ITEM_BYTES || at + sizeof(struct item_header) + len > OUT_BYTES) {
		len = 0;
		reason = REASON_TOO_LARGE;
	}
	at = masked(at, OUT_MASK);
	struct item_header *h = (void *)&s->out[at];
	__u8 *data = &s->out[at + sizeof(*h)];

	opaque(len);
	if (len > ITEM_BYTES)
		len = 0;
	/* The padding must not hold bytes of an earlier event. */
	*(__u64 *)&data[len & ~7ULL] = 0;
	if (len && read_user(data, len, addr)) {
		len = 0;
		reason = REASON_UNAVAILABLE;
		vm->faults++;
	}
	h->type = type | reason << REASON_SHIFT;
	h->length = len;
	h->addr = addr;
	vm->cursor = at + sizeof(*h) + ((len + 7) & ~7ULL);
	return len;
}

/* Notes a run of the root that is not read. */
static __always_inline void hole(struct scratch *s, struct op *op)
{
	capture(s, 0, REASON_UNAVAILABLE, (__u64)op->size << 32 | op->offset, 0);
}

/*
 * Reports whether the item was captured during this hit already, as long and
 * as deep as wanted now, and remembers it when not. The table is direct-mapped:
 * a collision costs a duplicate item, never a missing one.
 */
static __always_inline bool known(struct scratch *s, __u32 type, __u64 addr, __u32 len, __u32 depth)
{
	__u64 h = (addr ^ (__u64)type << 48) * 0x9e3779b97f4a7c15ULL >> (64 - SEEN_BITS);
	struct seen *e = &s->seen[masked(h, (1 << SEEN_BITS) - 1)];

	if (e->epoch == s->epoch && e->addr == addr && e->type == type && e->length >= len &&
	    e->depth >= depth)
		return true;
	e->epoch = s->epoch;
	e->addr = addr;
	e->type = type;
	e->length = len;
	e->depth = depth;
	return false;
}

/* Captures the n elements at addr and queues them to be scanned. */
static __always_inline void follow(struct scratch *s, struct op *op, __u64 addr, __u64 n,
				   __u32 depth)
{
	struct vm *vm = &s->vm;
	__u32 reason = REASON_NONE;
	__u64 len;

	if (!addr || !n)
		return;
	if (op->code == OP_POINTER) {
		reason = op->reason;
	} else if (n > op->limit) {
		n = op->limit;
		reason = op->reason;
	}
	len = n * op->size;
	if (known(s, op->type, addr, len, depth))
		return;
	bool queue = op->routine && vm->tail - vm->head < QUEUE;

	if (op->routine && !queue && !reason)
		reason = REASON_POINTERS;
	__u64 data = vm->cursor + sizeof(struct item_header);

	len = capture(s, op->type, reason, addr, len);
	if (!len || !queue)
		return;
	struct scan *q = &s->queue[masked(vm->tail, QUEUE - 1)];

	q->base = data;
	q->end = data + len;
	q->stride = op->size;
	q->routine = op->routine;
	q->depth = depth;
	vm->tail++;
}

/* Moves to the next element, or the next item; false when none is left. */
static __always_inline bool advance(struct vm *vm, struct scratch *s)
{
	vm->at.base += vm->at.stride;
	if (vm->at.base >= vm->at.end) {
		if (vm->head == vm->tail)
			return false;
		vm->at = s->queue[masked(vm->head, QUEUE - 1)];
		vm->head++;
	}
	vm->pc = vm->at.routine;
	return true;
}

/* Copies a piece of a variable into the root. */
static __always_inline void copy(struct run *r, struct scratch *s, struct op *op)
{
	__u64 at = (__u64)s->vm.at.base + op->offset;
	__u64 size = op->size;

	if (size > ITEM_BYTES || at + size > s->vm.at.end)
		return;
	__u8 *to = &s->out[masked(at, OUT_MASK)];

	if (op->code == OP_STACK) {
		opaque(size);
		if (size > ITEM_BYTES)
			return;
		if (read_user(to, size, r->cfa + (__s64)op->cfa)) {
			s->vm.faults++;
			hole(s, op);
		}
		return;
	}
	__u64 v = s->regs[masked(op->reg, REGISTERS - 1)];

	/* Constant sizes, so that a copy is one store. Nothing else fits a
	 * register but the odd tail of a struct. */
	switch (size) {
	case 8:
		*(__u64 *)to = v;
		break;
	case 4:
		*(__u32 *)to = v;
		break;
	case 2:
		*(__u16 *)to = v;
		break;
	case 1:
		*to = v;
		break;
	default:
#pragma unroll
		for (int i = 0; i < 7; i++)
			if (i < size)
				to[i] = v >> (8 * i);
	}
}

static long step(__u64 i, struct run *r)
{
	struct scratch *s = r->s;
	struct vm *vm = &s->vm;
	__u32 pc = r->code + vm->pc;
	struct op *op = bpf_map_lookup_elem(&code, &pc);

	if (!op) {
		vm->incomplete = 1;
		goto done;
	}
	vm->pc++;
	switch (op->code) {
	case OP_END:
		if (!advance(vm, s))
			goto done;
		return 0;
	case OP_REGISTER:
	case OP_STACK:
		copy(r, s, op);
		return 0;
	case OP_HOLE:
		hole(s, op);
		return 0;
	}
	__u64 at = (__u64)vm->at.base + op->offset;

	/* A clipped item ends before some of its fields. */
	if (at + (op->code == OP_POINTER ? 8 : 16) > vm->at.end)
		return 0;
	__u64 *word = (void *)&s->out[masked(at, OUT_MASK)];
	__u64 addr = word[0], n = 1;
	__u32 depth = vm->at.depth;

	if (op->code == OP_POINTER) {
		if (!depth)
			return 0;
		depth--;
	} else {
		n = word[1];
	}
	follow(s, op, addr, n, depth);
	if (!vm->incomplete)
		return 0;
	/* Full: what is left to scan would only be thrown away. */
done:
	vm->done = 1;
	return 1;
}

/* Fills the event from s->vm.cursor on. */
static __always_inline void interpret(struct scratch *s, struct params *p, struct site *site,
				      __u64 cfa)
{
	struct run r = {.s = s, .cfa = cfa, .code = p->code};
	struct vm *vm = &s->vm;
	__u64 at = masked(vm->cursor, OUT_MASK), size = p->root_size;
	struct item_header *h = (void *)&s->out[at];

	if (size > ITEM_BYTES)
		size = ITEM_BYTES;
	opaque(size);
	if (size > ITEM_BYTES)
		return;
	/*
	 * Variables do not fill the root: there is padding, and what is read at
	 * another kind of site. A failed read clears its destination, and one
	 * from an address that cannot be the process's fails without a fault.
	 */
	bpf_probe_read_user(&s->out[at + sizeof(*h)], size, (void *)-4096L);
	h->type = 0;
	h->length = size;
	h->addr = cfa;
	vm->at.base = at + sizeof(*h);
	vm->at.end = at + sizeof(*h) + size;
	vm->at.stride = size + 1; /* the root is one element, also when it is empty */
	vm->at.depth = p->depth;
	vm->cursor = at + sizeof(*h) + ((size + 7) & ~7ULL);
	vm->head = vm->tail = vm->faults = 0;
	vm->pc = site->routine;
	vm->done = vm->incomplete = 0;
	s->epoch++;
	bpf_loop(STEPS, step, &r, 0);
	if (!vm->done)
		vm->incomplete = 1;
}

#endif
