package event

import (
	"time"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

// Event is one probe hit. Its slices point into the buffer it was parsed from
// and are valid until that buffer is reused.
type Event struct {
	// Probe is the index the loader gave the probe; Site is the index in its
	// plan's Sites.
	Probe, Site uint32
	// PID is the process (thread group) and TID the thread that hit the probe,
	// both in the initial PID namespace.
	PID, TID uint32
	// Target is the number that the process was given when the probe was
	// attached to it. Unlike PID it is the same in every PID namespace, and no
	// other process has it after this one has ended.
	Target uint32
	// GoID is the goroutine's number; 0 when it was not readable, or when the
	// thread was on its scheduling stack.
	GoID uint64
	// Ktime is CLOCK_MONOTONIC in nanoseconds.
	Ktime uint64
	// EntryKtime is, at a return, when the call began, on the same clock; else 0.
	EntryKtime uint64
	// PC is the run-time address of the probed instruction. Less that of the
	// plan's site it is the bias of the process.
	PC uint64
	// Depth is how many bytes of the goroutine's stack are above the frame of the
	// probed function: the same at the entry and at the return of a call, also
	// when the stack was moved in between. 0 when it was not readable.
	Depth uint32
	// CPU is the processor the thread was on.
	CPU uint32
	// StackID stands for the call stack: it is sent once, and later events of
	// the same stack have the number only (see Stacks). 0 when none was taken.
	StackID uint64
	// Incomplete says that the capture stopped early, because the event was
	// full or the step budget was spent: values that were not reached have no
	// item.
	Incomplete bool
	// Stack holds return addresses, innermost first: the probed instruction
	// itself, its caller, and so on, as run-time addresses.
	Stack []uint64
	// Items are the captured bytes. The first is the root: the variables side
	// by side as laid out by the plan; its Type is 0. Holes of the root are
	// not among them (see Unread).
	Items []Item

	holes []hole
}

// hole is a run of the root's bytes that was not read.
type hole struct {
	offset, size uint32
}

// Item is one run of captured memory. For a pointer it holds the pointee (Type
// is the pointee's type); for a string and for a slice it holds the data the
// header points to (Type is the string's or the slice's own type). Decoders
// find an item by its (Type, Addr); when several match, the longest is the one
// to use: the same array can be captured through slices of different lengths.
//
// What lies behind a map, its header, tables and groups, are items of the map's
// type, and so are a channel's header and elements, and what a function's word
// leads to. Of an interface there is an item at the address of its type word,
// whose 8 bytes are the distance of the dynamic type from runtime.types; the
// data is an item of the dynamic type. The location of a time.Time and the zone
// cached there are items of the time's type.
type Item struct {
	Type gotype.ID
	// Addr is the run-time address the bytes were read from.
	Addr uint64
	// Data may be shorter than the value: it was clipped to a limit.
	Data []byte
	// Reason is why Data is missing or short, or why what it points to was not
	// followed; ReasonNone when it is whole.
	Reason Reason
}

// TypeDictionary is the type of the item that holds the dictionary of a generic
// function: the run-time addresses of the types it is instantiated with, and of
// others made of these.
const TypeDictionary gotype.ID = typeMask

// Reason is why the kernel program did not capture something.
type Reason uint8

// Reasons, in the order the kernel program numbers them.
const (
	ReasonNone        Reason = iota
	ReasonUnavailable        // the read faulted
	ReasonLength             // a string was clipped to the length limit
	ReasonCollection         // a slice was clipped to the collection limit
	ReasonTooLarge           // the value does not fit the event
	ReasonPointers           // the data is whole, but too many items were waiting for what it points to to be followed
)

// MaxReason is the highest reason this version knows.
const MaxReason = ReasonPointers

// String is the reason's name in dumps: "unavailable", "length".
func (r Reason) String() string {
	names := [...]string{"none", "unavailable", "length", "collection", "too large", "pointers"}
	if int(r) < len(names) {
		return names[r]
	}
	return "unknown"
}

// Time is when the probe was hit, given the wall-clock time at which
// CLOCK_MONOTONIC was zero.
func (e *Event) Time(zero time.Time) time.Time { return zero.Add(time.Duration(e.Ktime)) }

// Unread reports whether any of the size bytes at offset in the root item are
// missing: they faulted, or they were in a register the kernel does not expose.
// Such bytes are zero in the root's data.
func (e *Event) Unread(offset, size uint32) bool {
	for _, h := range e.holes {
		if uint64(offset) < uint64(h.offset)+uint64(h.size) && uint64(h.offset) < uint64(offset)+uint64(size) {
			return true
		}
	}
	return false
}

// MarkUnread adds a hole to the root; it is for code that builds events.
func (e *Event) MarkUnread(offset, size uint32) {
	e.holes = append(e.holes, hole{offset, size})
}

// Reset empties the event and keeps its storage.
func (e *Event) Reset() {
	*e = Event{Stack: e.Stack[:0], Items: e.Items[:0], holes: e.holes[:0]}
}
