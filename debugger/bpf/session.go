package bpf

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// Options are the knobs of a Session. The zero value is right for production.
type Options struct {
	// RingBytes is the size of the ring buffer; rounded up to a power of two
	// of at least 64 KiB. 0 means the room for a second of events of the
	// largest size, between SmallRingBytes and DefaultRingBytes.
	RingBytes int
	// PerfLinks attaches each site on its own, through perf_event_open, as
	// happens anyway where uprobe_multi is missing (before Linux 6.10).
	// Detaching is then slow: some 100 ms, all sites at once.
	PerfLinks bool
	// NoSleep keeps the program from waiting for pages that are not in memory,
	// as happens anyway where sleepable uprobes are missing (before Linux 6.0).
	NoSleep bool
	// After is the session that this one replaces on the same sites: it goes on to
	// take the hits until TakeOver, and must be open still. Nil for a session that
	// takes them at once.
	After *Session
}

// Sizes.
const (
	// DefaultRingBytes is the ring of one target (debugger specification, 9.5).
	DefaultRingBytes = 4 << 20
	// SmallRingBytes is enough for the usual snapshot a second. What the ring
	// holds is mapped twice, one copy after the other, and counts twice as
	// resident memory.
	SmallRingBytes = 1 << 20
	minRingBytes   = 64 << 10
	// MaxFrames is the most program counters of one event.
	MaxFrames = 128
	// MaxProbes is the most probes of one session, and the most sites of one
	// probe: the attach cookie has no more room.
	MaxProbes = 1 << indexBits
	indexBits = 16 // INDEX_BITS in c/layout.h
)

// Probe is one plan to run and how often.
type Probe struct {
	// Plan must have been compiled (plan.Compile) and have sites.
	Plan *plan.Plan
	// PerSecond bounds the events per second, over all processes together: a
	// token bucket that holds one second's worth, and at least one. 0 is no
	// bound.
	PerSecond float64
	// Shares is 1 + the index of an earlier probe whose bound this one has a part
	// in; 0 is a bound of its own.
	Shares int
	// NoStack leaves out the call stack.
	NoStack bool
}

// Session is a loaded set of probes. Attach, Detach, Stats and Close may be
// called from any goroutine; Read from one at a time.
type Session struct {
	probes []Probe
	multi  bool
	sleeps bool
	number uint32 // number in c/maps.h

	coll   *ebpf.Collection
	prog   *ebpf.Program
	stats  *ebpf.Map
	reader *ringbuf.Reader

	mu       sync.Mutex // guards what follows
	attached map[target]attachment
	closed   bool
	final    []ProbeStats

	readMu sync.Mutex // guards what follows
	record ringbuf.Record
	// assembler and stacks make whole events of what the ring holds.
	assembler event.Assembler
	stacks    event.Stacks
	event     event.Event
	busy      bool // events came since the last quiet poll
}

// Mode says how the probes are attached and whether they wait for pages:
// "uprobe_multi, sleepable".
func (s *Session) Mode() string {
	attach, read := "perf events", "classic"
	if s.multi {
		attach = "uprobe_multi"
	}
	if s.sleeps {
		read = "sleepable"
	}
	return attach + ", " + read
}

// TakeOver makes the session take the hits instead of the one it was loaded after.
// Where both are attached each hit is in exactly one of them; the returns of calls
// in progress are in neither.
func (s *Session) TakeOver() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if err := s.coll.Maps[captureMapCharge].Put(uint32(0), uint64(s.number)); err != nil {
		return fmt.Errorf("take over the probes: %w", err)
	}
	return nil
}

// Close detaches everything and frees what the kernel holds. It interrupts
// Read. Closing again does nothing.
func (s *Session) Close() error {
	err := s.Detach()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return err
	}
	s.final, _ = s.collectStats()
	s.closed = true
	s.mu.Unlock()

	err = errors.Join(err, s.reader.Close())
	s.coll.Close()
	return err
}

// ErrClosed is returned by the methods of a session that was closed.
var ErrClosed = fmt.Errorf("probe session: %w", os.ErrClosed)
