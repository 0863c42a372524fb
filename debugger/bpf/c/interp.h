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
	__u32 probe;
};

/*
 * Makes room for an item of len bytes, in a new fragment if need be. False when
 * there is none; what is smaller may still fit.
 */
static __always_inline bool room(struct vm *vm, struct scratch *s, __u64 len)
{
	__u64 end = vm->cursor + sizeof(struct item_header) + ((len + 7) & ~7ULL);

	if (end <= vm->fragment + FRAGMENT_BYTES)
		return true;
	if (vm->fragments >= FRAGMENTS - 1)
		return false;
	s->lengths[masked(vm->fragments, FRAGMENTS - 1)] = vm->cursor - vm->fragment;
	vm->fragments++;
	vm->fragment += FRAGMENT_BYTES;
	vm->cursor = vm->fragment + sizeof(struct event_header);
	return true;
}

/*
 * Reads ahead when what is wanted now and what is likely to be wanted next are
 * close together, as the elements of a slice often are: a read costs the same for
 * 8 bytes as for some hundred. A page that may not be there is not touched.
 */
static __always_inline void look_ahead(struct scratch *s, __u64 addr, __u64 next)
{
	__u64 low = addr < next ? addr : next, apart = addr + next - 2 * low;
	__u64 bytes = PAGE_BYTES - (low & (PAGE_BYTES - 1));

	if (!next || addr - s->near_addr < s->near_bytes)
		return;
	if (bytes > NEAR_BYTES)
		bytes = NEAR_BYTES;
	if (apart > NEAR_BYTES / 2 || apart >= bytes)
		return;
	opaque(bytes);
	if (bytes > NEAR_BYTES)
		return;
	s->near_addr = low;
	s->near_bytes = bpf_probe_read_user(s->near, bytes, (void *)low) ? 0 : bytes;
}

static __always_inline void copy_words(__u64 *to, __u64 *from, int n)
{
#pragma unroll
	for (int i = 0; i < n; i++)
		to[i] = from[i];
}

/*
 * Reads an item. The padding after it must not hold bytes of an earlier event, nor
 * such that belong to something else.
 */
static __always_inline long fetch(struct scratch *s, __u8 *to, __u64 len, __u64 addr)
{
	__u64 off = addr - s->near_addr;
	__u64 *tail = (__u64 *)&to[len & ~7ULL];

	if (len > NEAR_COPY || off >= s->near_bytes || s->near_bytes - off < len) {
		*tail = 0;
		return read_user(to, len, addr);
	}
	__u8 *from = &s->near[masked(off, NEAR_BYTES - 1)];

	/* Constant sizes, so that there is no loop: too much does no harm. */
	copy_words((__u64 *)to, (__u64 *)from, 8);
	if (len > 64)
		copy_words((__u64 *)(to + 64), (__u64 *)(from + 64), NEAR_COPY / 8 - 8);
	*tail &= (1ULL << 8 * (len & 7)) - 1;
	return 0;
}

/* Appends an item of len bytes read from addr; returns the bytes captured. */
static __always_inline __u64 capture(struct scratch *s, __u32 type, __u32 reason, __u64 addr,
				     __u64 len)
{
	struct vm *vm = &s->vm;

	if (len > ITEM_BYTES || !room(vm, s, len)) {
		len = 0;
		reason = REASON_TOO_LARGE;
		if (!room(vm, s, 0)) {
			vm->incomplete = 1;
			return 0;
		}
	}
	__u64 at = masked(vm->cursor, OUT_MASK);
	struct item_header *h = (void *)&s->out[at];
	__u8 *data = &s->out[at + sizeof(*h)];

	opaque(len);
	if (len > ITEM_BYTES)
		len = 0;
	if (len && fetch(s, data, len, addr)) {
		len = 0;
		reason = REASON_UNAVAILABLE;
		vm->faults++;
	}
	h->type = type | reason << REASON_SHIFT;
	h->length = len;
	h->addr = addr;
	vm->data = at + sizeof(*h);
	vm->cursor = vm->data + ((len + 7) & ~7ULL);
	return len;
}

/* The word at an offset of the current element; the caller checked that it is there. */
static __always_inline __u64 word(struct scratch *s, __u64 offset)
{
	return *(__u64 *)&s->out[masked(s->vm.at.base + offset, OUT_MASK)];
}

static __always_inline bool has(struct vm *vm, __u64 offset, __u64 size)
{
	return vm->at.base + offset + size <= vm->at.end;
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

/* Queues what was just captured, or a part of it, to be scanned. */
static __always_inline void queue(struct scratch *s, __u64 base, __u64 len, struct op *op,
				  __u32 depth, __u32 left)
{
	struct vm *vm = &s->vm;
	struct scan *q = &s->queue[masked(vm->tail, QUEUE - 1)];

	q->base = base;
	q->end = base + len;
	q->stride = op->size;
	q->routine = op->routine;
	q->depth = depth;
	q->left = left;
	vm->tail++;
}

static __always_inline bool queue_full(struct vm *vm) { return vm->tail - vm->head >= QUEUE; }

/*
 * Captures the n elements at addr and queues them to be scanned. What is at next
 * is likely to be followed soon.
 */
static __always_inline void follow(struct scratch *s, struct op *op, __u32 reason, __u64 addr,
				   __u64 n, __u32 depth, __u64 next)
{
	struct vm *vm = &s->vm;

	if (!addr || !n)
		return;
	__u64 len = n * op->size;

	if (known(s, op->type, addr, len, depth))
		return;
	bool full = op->routine && queue_full(vm);

	if (full && !reason)
		reason = REASON_POINTERS;
	if (len <= NEAR_COPY)
		look_ahead(s, addr, next);
	len = capture(s, op->type, reason, addr, len);
	if (len && op->routine && !full)
		queue(s, vm->data, len, op, depth, op->aux);
}

/*
 * The value of an interface. What the type word stands for is an item of its
 * own, of 8 bytes: the distance of the type from runtime.types. The data is
 * captured when the probe knows the type.
 */
static __always_inline void interface(struct run *r, struct scratch *s, struct op *op)
{
	struct vm *vm = &s->vm;
	__u64 at = (__u64)vm->at.base + op->offset;
	__u64 tab = word(s, op->offset), data = word(s, op->offset + 8), type = tab;
	__u32 depth = vm->at.depth;

	if (!tab)
		return;
	bool seen = known(s, op->type, tab, 8, 0);

	if (op->flags & OP_ITAB && read_user(&type, sizeof(type), tab + op->cfa)) {
		vm->faults++;
		if (!seen)
			capture(s, op->type, REASON_UNAVAILABLE, tab, 0);
		return;
	}
	type -= vm->types;
	if (!seen) {
		if (!room(vm, s, 8)) {
			vm->incomplete = 1;
			return;
		}
		struct item_header *h = (void *)&s->out[masked(vm->cursor, OUT_MASK)];

		h->type = op->type;
		h->length = 8;
		h->addr = tab;
		*(__u64 *)(h + 1) = type;
		vm->cursor += sizeof(*h) + 8;
	}
	struct dynamic key = {.probe = r->probe, .offset = type};
	struct op *d = type >> 32 ? NULL : bpf_map_lookup_elem(&dynamics, &key);

	if (!d)
		return;
	if (d->flags & OP_DIRECT) {
		if (d->routine && !queue_full(vm))
			queue(s, at + 8, 8, d, depth, 0);
		return;
	}
	if (!(op->flags & OP_FREE)) {
		if (!depth)
			return;
		depth--;
	}
	follow(s, d, d->reason, data, 1, depth, 0);
}

/*
 * A value of a generic function whose real type is in the dictionary: when the
 * probe knows that type, the value is scanned as such and the instructions for
 * the shape it shares with others are passed over.
 */
static __always_inline void instance(struct run *r, struct scratch *s, struct op *op)
{
	struct vm *vm = &s->vm;
	__u64 dictionary = word(s, (__u32)op->cfa), type = 0;

	if (!dictionary)
		return;
	if (read_user(&type, sizeof(type), dictionary + 8 * (__u64)op->aux)) {
		vm->faults++;
		return;
	}
	type -= vm->types;
	struct dynamic key = {.probe = r->probe, .offset = type};
	struct op *d = type >> 32 ? NULL : bpf_map_lookup_elem(&dynamics, &key);

	if (!d || d->size != op->size)
		return;
	if (d->routine && !queue_full(vm))
		queue(s, (__u64)vm->at.base + op->offset, d->size, d, vm->at.depth, 0);
	vm->pc += op->limit;
}

/*
 * Keeps the dictionary with the call. It lies near runtime.types; what a closure
 * has in its place, when nothing in it needs one, does not.
 */
static __always_inline void keep_dictionary(struct scratch *s, struct op *op)
{
	__u64 dictionary = word(s, op->offset);

	if (!((dictionary - s->vm.types + DICTIONARY_FAR) >> 32))
		s->vm.kept = dictionary;
}

/* What waits in a channel: up to two runs of its ring. True to be called again. */
static __always_inline bool ring_part(struct scratch *s, struct op *op)
{
	struct vm *vm = &s->vm;
	__u64 count = word(s, op->cfa), capacity = word(s, op->cfa + 8);
	__u64 buffer = word(s, op->offset), at = word(s, op->aux);
	__u64 n = count;
	__u32 reason = REASON_NONE;

	if (n > op->limit) {
		n = op->limit;
		reason = op->reason;
	}
	if (!n || at >= capacity)
		return false;
	__u64 first = capacity - at < n ? capacity - at : n;

	if (vm->walk_left) {
		vm->walk_left = 0;
		follow(s, op, reason, buffer, n - first, vm->at.depth, 0);
		return false;
	}
	follow(s, op, reason, buffer + at * op->size, first, vm->at.depth, 0);
	vm->walk_left = first < n;
	return first < n;
}

/* How many entries a group holds; its first eight bytes say so. */
static __always_inline __u32 entries(__u64 control, __u32 flags)
{
	__u32 n = 0;

#pragma unroll
	for (int i = 0; i < MAP_SLOTS; i++) {
		__u8 c = control >> (8 * i);

		n += flags & OP_BUCKET ? c >= 5 : c < 128;
	}
	return n;
}

/* Finds the groups; false when there are none. */
static __always_inline bool groups_begin(struct scratch *s, struct op *op)
{
	struct vm *vm = &s->vm;
	__u64 addr = word(s, op->offset), n = 1;

	if (!addr || !vm->at.left)
		return false;
	switch (op->reg) {
	case GROUPS_SMALL:
		if (word(s, op->aux))
			return false;
		break;
	case GROUPS_TABLE:
		if (known(s, op->type, addr, op->limit, vm->at.depth))
			return false;
		if (!capture(s, op->type, REASON_NONE, addr, op->limit))
			return false;
		addr = *(__u64 *)&s->out[masked(vm->data + op->cfa, OUT_MASK)];
		n = *(__u64 *)&s->out[masked(vm->data + op->aux, OUT_MASK)] + 1;
		break;
	case GROUPS_BUCKETS:
	case GROUPS_OLD: {
		__u32 log2 = word(s, op->aux) & 31;

		if (op->reg == GROUPS_OLD && log2 && !(word(s, (__u32)op->cfa) & op->limit))
			log2--;
		n = 1ULL << log2;
		break;
	}
	}
	vm->walk = addr;
	vm->walk_left = n > GROUPS_MAX ? GROUPS_MAX : n;
	return addr && vm->walk_left;
}

/*
 * Captures the groups of a map one by one, those with entries only, until as
 * many entries were captured as are wanted. True to be called again.
 */
static __always_inline bool groups(struct scratch *s, struct op *op)
{
	struct vm *vm = &s->vm;

	if (!vm->walk_left)
		return groups_begin(s, op);
	bool full = op->routine && queue_full(vm);

	if (vm->walk_left > 1 && op->size <= NEAR_COPY)
		look_ahead(s, vm->walk, vm->walk + op->size);
	__u64 len = capture(s, op->type, full ? REASON_POINTERS : REASON_NONE, vm->walk, op->size);

	vm->walk += op->size;
	vm->walk_left--;
	if (!len) {
		vm->walk_left = 0; /* and the rest would fail too */
		return false;
	}
	__u32 n = entries(*(__u64 *)&s->out[masked(vm->data, OUT_MASK)], op->flags);

	vm->at.left -= n < vm->at.left ? n : vm->at.left;
	if (!vm->at.left)
		vm->walk_left = 0;
	/* A bucket without entries may still lead to one that has some. */
	if (!n && !(op->flags & OP_BUCKET))
		vm->cursor = vm->data - sizeof(struct item_header);
	else if (op->routine && !full)
		queue(s, vm->data, len, op, vm->at.depth, vm->at.left);
	return vm->walk_left != 0;
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

static __always_inline struct op *instruction(struct run *r, __u64 pc)
{
	__u32 key = r->code + pc;

	return bpf_map_lookup_elem(&code, &key);
}

/*
 * Finds size bytes of the stack at addr in what was read ahead, or reads ahead when
 * the next piece is close: variables on the stack lie side by side. NULL when the
 * piece has to be read on its own.
 */
static __always_inline __u64 *stack_piece(struct run *r, struct scratch *s, __u64 addr, __u64 size)
{
	struct op *then = instruction(r, s->vm.pc);

	if (then && then->code == OP_STACK)
		look_ahead(s, addr, r->cfa + (__s64)then->cfa);
	__u64 off = addr - s->near_addr;

	if (off >= s->near_bytes || s->near_bytes - off < size)
		return NULL;
	return (__u64 *)&s->near[masked(off, NEAR_BYTES - 1)];
}

/* Copies a piece of a variable into the root. */
static __always_inline void copy(struct run *r, struct scratch *s, struct op *op)
{
	__u64 at = (__u64)s->vm.at.base + op->offset;
	__u64 size = op->size, v;

	if (size > ITEM_BYTES || at + size > s->vm.at.end)
		return;
	__u8 *to = &s->out[masked(at, OUT_MASK)];

	if (op->code == OP_STACK) {
		__u64 addr = r->cfa + (__s64)op->cfa, *from = NULL;

		if (size <= 8 || (size <= 64 && !(size & 7)))
			from = stack_piece(r, s, addr, size);
		if (!from) {
			opaque(size);
			if (size > ITEM_BYTES)
				return;
			if (read_user(to, size, addr)) {
				s->vm.faults++;
				hole(s, op);
			}
			return;
		}
		if (size > 8) {
#pragma unroll
			for (int i = 0; i < 8; i++)
				if (i * 8 < size)
					((__u64 *)to)[i] = from[i];
			return;
		}
		v = from[0];
	} else {
		v = s->regs[masked(op->reg, REGISTERS - 1)];
	}
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

/* Follows a pointer, or the pointer of a string or a slice. */
static __always_inline void reference(struct run *r, struct scratch *s, struct op *op)
{
	struct vm *vm = &s->vm;
	__u64 addr = word(s, op->offset), n = 1, next = 0;
	__u32 depth = vm->at.depth, reason = op->reason;

	if (op->code != OP_POINTER) {
		n = word(s, op->offset + 8);
		if (n > op->limit)
			n = op->limit;
		else
			reason = REASON_NONE;
	} else if (!(op->flags & OP_FREE)) {
		if (!depth)
			return;
		depth--;
	}
	/* That of the next element, when this is what elements end with. */
	struct op *then = instruction(r, vm->pc);

	if (then) {
		__u64 offset = then->code == OP_END ? (__u64)vm->at.stride + op->offset : then->offset;

		if (has(vm, offset, 8))
			next = word(s, offset);
	}
	follow(s, op, reason, addr, n, depth, next);
}

/* The other instructions. False when it is to be run again. */
static __always_inline bool special(struct run *r, struct scratch *s, struct op *op)
{
	switch (op->code) {
	case OP_REGISTER:
	case OP_STACK:
		copy(r, s, op);
		return true;
	case OP_HOLE:
		hole(s, op);
		return true;
	}
	/* A clipped item ends before some of its fields. */
	if (!has(&s->vm, op->offset, op->code == OP_INTERFACE ? 16 : 8))
		return true;
	switch (op->code) {
	case OP_INTERFACE:
		interface(r, s, op);
		break;
	case OP_INSTANCE:
		instance(r, s, op);
		break;
	case OP_KEEP:
		keep_dictionary(s, op);
		break;
	case OP_KEPT:
		*(__u64 *)&s->out[masked((__u64)s->vm.at.base + op->offset, OUT_MASK)] = s->vm.kept;
		break;
	case OP_RING:
		return !ring_part(s, op);
	case OP_GROUPS:
		return !groups(s, op);
	}
	return true;
}

/*
 * Runs a few instructions: what follows references is nearly all there is, and a
 * return from the callback costs as much as one of them.
 */
static long step(__u64 i, struct run *r)
{
	struct scratch *s = r->s;
	struct vm *vm = &s->vm;

	for (int n = 0; n < BATCH; n++) {
		struct op *op = instruction(r, vm->pc);

		if (!op || vm->steps >= STEPS) {
			vm->incomplete = 1;
			return 1;
		}
		vm->steps++;
		vm->pc++;
		if (op->code == OP_END) {
			if (!advance(vm, s))
				return 1;
		} else if (op->code == OP_POINTER || op->code == OP_STRING || op->code == OP_SLICE) {
			/* A clipped item ends before some of its fields. */
			if (has(vm, op->offset, op->code == OP_POINTER ? 8 : 16))
				reference(r, s, op);
			/* Full: what is left to scan would only be thrown away. */
			if (vm->incomplete)
				return 1;
		} else {
			if (!special(r, s, op))
				vm->pc--;
			return vm->incomplete ? 1 : 0;
		}
	}
	return 0;
}

/* Fills the event from s->vm.cursor on. */
static __always_inline void interpret(struct scratch *s, struct params *p, struct site *site,
				      __u64 cfa, __u32 probe)
{
	struct run r = {.s = s, .cfa = cfa, .code = p->code, .probe = probe};
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
	 * another kind of site. Most roots are small. For the others, a failed
	 * read clears its destination, and one from an address that cannot be
	 * the process's fails without a fault.
	 */
	__u64 *root = (__u64 *)&s->out[at + sizeof(*h)];

	if (size <= 128) {
#pragma unroll
		for (int i = 0; i < 16; i++)
			root[i] = 0;
	} else {
		bpf_probe_read_user(root, size, (void *)-4096L);
	}
	h->type = 0;
	h->length = size;
	h->addr = cfa;
	vm->at.base = at + sizeof(*h);
	vm->at.end = at + sizeof(*h) + size;
	vm->at.stride = size + 1; /* the root is one element, also when it is empty */
	vm->at.depth = p->depth;
	vm->cursor = at + sizeof(*h) + ((size + 7) & ~7ULL);
	vm->head = vm->tail = vm->faults = 0;
	vm->fragment = vm->fragments = 0;
	vm->walk_left = 0;
	vm->at.left = 0;
	vm->pc = site->routine;
	vm->steps = vm->incomplete = 0;
	s->near_bytes = 0;
	s->epoch++;
	bpf_loop(STEPS, step, &r, 0);
}

#endif
