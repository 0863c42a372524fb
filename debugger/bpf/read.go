package bpf

import (
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/cilium/ebpf/ringbuf"

	"github.com/vigil-agent/vigil/debugger/event"
)

// Reading.
const (
	// straggler is how long after a wake-up events can come without one: the
	// kernel's 10 ms (WAKE_NS in c/layout.h) and a little.
	straggler = 12 * time.Millisecond
	// idle is how often the ring is looked at when nothing comes. Wake-ups do
	// the work; this bounds the damage when one is missed, which the program
	// allows by deciding and sending in two steps. It is long because a thread
	// that returns from a wait costs some 0.5 ms of the Go runtime's time.
	idle = 10 * time.Second
	// clockEvery is after how many events the clock is read.
	clockEvery = 64
	// recordHeader is what the ring adds to an event (BPF_RINGBUF_HDR_SZ);
	// events are multiples of 8 bytes, so nothing else is.
	recordHeader = 8
)

// Read calls fn for each event, in the order they were sent, until the
// deadline or Interrupt, and then returns nil. With a deadline in the past it
// reads what is there when it is called, all of it. The event is valid during
// the call only.
//
// It returns an error that matches os.ErrClosed when the session is closed, at
// once also while it waits. One that matches event.ErrMalformed concerns one
// event: Read can be called again for those after it.
func (s *Session) Read(deadline time.Time, fn func(*event.Event)) error {
	s.readMu.Lock()
	defer s.readMu.Unlock()
	// What is there is counted, or a fast producer would never let go.
	rest := math.MaxInt
	if !time.Now().Before(deadline) {
		var err error
		if rest, err = s.available(); err != nil {
			return err
		}
	}
	s.reader.SetDeadline(s.wait(deadline))
	for n := 1; ; n++ {
		err := s.reader.ReadInto(&s.record)
		switch {
		case err == nil:
			if !s.busy {
				// More may follow without a wake-up.
				s.busy = true
				s.reader.SetDeadline(s.wait(deadline))
			}
			complete, err := s.assembler.Add(s.record.RawSample, &s.event)
			if err != nil {
				return err
			}
			if complete {
				s.stacks.Resolve(&s.event)
				fn(&s.event)
			}
			if rest != math.MaxInt {
				rest -= recordHeader + len(s.record.RawSample)
				if rest <= 0 {
					return nil
				}
			} else if n%clockEvery == 0 && !time.Now().Before(deadline) {
				return nil
			}
		case errors.Is(err, os.ErrDeadlineExceeded):
			if !time.Now().Before(deadline) {
				return nil
			}
			next := s.wait(deadline)
			s.busy = false
			s.reader.SetDeadline(next)
		case errors.Is(err, ringbuf.ErrFlushed):
			// An interrupt that is older than this call does not end the
			// reading of what is there; that was just done.
			return nil
		case errors.Is(err, os.ErrClosed):
			return ErrClosed
		default:
			return fmt.Errorf("read the ring buffer: %w", err)
		}
	}
}

// Interrupt makes the Read that waits now, or else the next one, return after
// the events that are there. It may be called from any goroutine, also from the
// function that Read calls, and does nothing once the session is closed.
func (s *Session) Interrupt() {
	// The only failure is that the reader was closed.
	_ = s.reader.Flush()
}

// available is how many bytes are in the ring.
func (s *Session) available() (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, ErrClosed // and the ring is unmapped, or about to be
	}
	return s.reader.AvailableBytes(), nil
}

// wait is when to look at the ring again although nobody woke the reader.
func (s *Session) wait(deadline time.Time) time.Time {
	d := idle
	if s.busy {
		d = straggler
	}
	if next := time.Now().Add(d); next.Before(deadline) {
		return next
	}
	return deadline
}
