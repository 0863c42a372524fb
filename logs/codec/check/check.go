// Package check verifies sealed batches before they leave: a mirror of the
// receiver decodes a sample of them, and what it yields must be what was sealed.
//
// The mirror of a stateful codec must know what the receiver knows. It follows the
// state changes of every batch, which are few, and reads the lines of sampled ones
// only, so that the check costs a decode in every so many batches. A batch that
// fails is not sent: its caller undoes it, drops the pattern of the offending line
// (or all it has learnt), and seals the records again without any state.
package check

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/vigil-agent/vigil/logs/record"
)

// Mirror is a receiver of the batches B of one encoder.
type Mirror[B any] interface {
	// Follow takes over what a batch changes in the receiver's state, and leaves its
	// lines alone.
	Follow(batch B) error
	// Read decodes a batch as the receiver will, and calls yield for each record in
	// order. It stops at yield's error and returns it.
	Read(batch B, yield func(record.Record) error) error
	// Undo takes back the last Follow or Read, whatever came of it.
	Undo()
}

// MismatchError means that a batch would not give its records back.
type MismatchError struct {
	// Line is the index of the first record that differs, -1 when the batch as a
	// whole cannot be read.
	Line int
	// Err is what the mirror said, nil when it read something else than was sealed.
	Err error
}

// Error implements error.
func (e *MismatchError) Error() string {
	switch {
	case e.Err == nil:
		return fmt.Sprintf("self-check: line %d decodes to something else", e.Line)
	case e.Line < 0:
		return fmt.Sprintf("self-check: the batch does not decode: %v", e.Err)
	default:
		return fmt.Sprintf("self-check: the batch does not decode from line %d on: %v", e.Line, e.Err)
	}
}

// Unwrap is what the mirror said.
func (e *MismatchError) Unwrap() error { return e.Err }

// Checker checks a sample of the batches, the first one included. It is not safe for
// concurrent use.
type Checker[B any] struct {
	mirror Mirror[B]
	every  int
	first  bool
	due    bool
	work   int // sealed since the last check
	counts Counts
}

// Counts is what a checker has done.
type Counts struct {
	// Checked is the number of batches decoded and compared, Failures of those (and
	// of state changes the mirror refused) that did not give their records back.
	Checked, Failures uint64
	// Busy is the time that checking has taken, of Follow and Read.
	Busy time.Duration
}

// New is a checker that spends on checks one part in every of the work that the
// batches are, see Due. every is at least 1.
func New[B any](m Mirror[B], every int) *Checker[B] {
	return &Checker[B]{mirror: m, every: max(1, every), first: true}
}

// Due decides whether the next batch is checked, and must be called once before
// each Batch. work is what the batch is worth and cost what its check costs, in one
// unit: with 1 and 1 the batches whose number is a multiple of every are checked.
func (c *Checker[B]) Due(work, cost int) bool {
	c.work += work
	c.due = c.first || c.work/c.every >= cost
	c.first = false
	if c.due {
		c.work = 0
	}
	return c.due
}

// Counts is what the checker has done so far.
func (c *Checker[B]) Counts() Counts { return c.counts }

var errDiffers = errors.New("differs")

// Batch takes the next sealed batch of n records; want is record i as the receiver
// must get it, its Origin ignored. A *MismatchError means that the batch must not be
// sent: the mirror is what it was before the call.
func (c *Checker[B]) Batch(batch B, n int, want func(i int) record.Record) error {
	start := time.Now()
	defer func() { c.counts.Busy += time.Since(start) }()
	line := -1
	var err error
	if c.due {
		c.counts.Checked++
		line, err = c.read(batch, n, want)
	} else {
		err = c.mirror.Follow(batch)
	}
	if err == nil {
		return nil
	}
	c.counts.Failures++
	c.mirror.Undo()
	if errors.Is(err, errDiffers) {
		err = nil
	}
	return &MismatchError{Line: line, Err: err}
}

// Follow takes the next batch, one that is not to be checked: what replaces a batch
// that failed.
func (c *Checker[B]) Follow(batch B) error { return c.mirror.Follow(batch) }

// read compares a batch, and returns the line at which reading ended.
func (c *Checker[B]) read(batch B, n int, want func(i int) record.Record) (int, error) {
	i := 0
	err := c.mirror.Read(batch, func(got record.Record) error {
		if i >= n || !same(want(i), got) {
			return errDiffers
		}
		i++
		return nil
	})
	if err == nil && i < n {
		err = errDiffers
	}
	return i, err
}

func same(a, b record.Record) bool {
	return a.Time == b.Time && a.Status == b.Status && a.Tags == b.Tags && bytes.Equal(a.Message, b.Message)
}
