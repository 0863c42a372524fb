package fakeintake

import (
	"fmt"
	"slices"

	"github.com/vigil-agent/vigil/logs/record"
)

// Step is one fault: what is done, and when.
type Step struct {
	// At is the moment that the step waits for.
	At Moment
	// Stream is the stream it waits on, counted from 1 in the order in which
	// streams were opened; 0 is any.
	Stream int
	// Times is how often the step is played; 0 is once.
	Times int
	// Do is what happens. When several steps wait for one moment, all are played
	// in the order of the script, up to the first that ends the stream.
	Do Action
}

// Always plays a step whenever its moment comes.
const Always = -1

// Moment is a point in the life of a stream.
type Moment struct {
	kind  momentKind
	any   bool
	batch uint32
	match func(record.Record) bool
}

type momentKind uint8

const (
	atNever momentKind = iota
	atOpen
	atBatch
	atAck
)

// Open is when a sender opens a stream, before it is answered.
func Open() Moment { return Moment{kind: atOpen} }

// Batch is when the batch with an id was received and the intake has not seen it.
func Batch(id uint32) Moment { return Moment{kind: atBatch, batch: id} }

// AnyBatch is Batch for every id.
func AnyBatch() Moment { return Moment{kind: atBatch, any: true} }

// BatchWith is Batch for every batch that holds a record for which match is true.
// It must be in the script before the stream is opened, because it decodes all
// of the stream's batches; a batch that does not decode is no match.
func BatchWith(match func(record.Record) bool) Moment {
	return Moment{kind: atBatch, any: true, match: match}
}

// Ack is when the intake has made the batch with an id durable and the sender
// does not know yet.
func Ack(id uint32) Moment { return Moment{kind: atAck, batch: id} }

// AnyAck is Ack for every id.
func AnyAck() Moment { return Moment{kind: atAck, any: true} }

// String is the moment as it is logged.
func (m Moment) String() string {
	switch {
	case m.kind == atOpen:
		return "open"
	case m.kind == atBatch && m.match != nil:
		return "batch with a match"
	case m.kind == atBatch && m.any:
		return "any batch"
	case m.kind == atBatch:
		return fmt.Sprintf("batch %d", m.batch)
	case m.kind == atAck && m.any:
		return "any ack"
	case m.kind == atAck:
		return fmt.Sprintf("ack %d", m.batch)
	default:
		return "never"
	}
}

// check is the error of a step that cannot be meant.
func (s *Step) check() error {
	switch {
	case s.At.kind == atNever:
		return fmt.Errorf("no moment: use Open, Batch or Ack")
	case s.Do.do == nil:
		return fmt.Errorf("%s: no action: use Fail, Kill, Delay …", s.At)
	case s.Do.ack && s.At.kind != atAck:
		return fmt.Errorf("%s: %s is about an acknowledgement: use Ack or AnyAck", s.At, s.Do.text)
	case s.Stream < 0 || s.Times < Always:
		return fmt.Errorf("%s: Stream is %d and Times is %d: use Always or a number that is not negative", s.At, s.Stream, s.Times)
	}
	return nil
}

// waits says whether the step is for this moment of a stream; records are the
// batch's.
func (s *Step) waits(kind momentKind, stream int, batch uint32, records []record.Record) bool {
	if s.At.kind != kind || s.Stream != 0 && s.Stream != stream || s.At.batch != batch && !s.At.any && kind != atOpen {
		return false
	}
	return s.At.match == nil || slices.ContainsFunc(records, s.At.match)
}

// play counts a step as played; false when it has been played often enough.
func (s *Step) play() bool {
	switch s.Times {
	case Always:
		return true
	case done:
		return false
	case 0, 1:
		s.Times = done
	default:
		s.Times--
	}
	return true
}

// done is the Times of a step that was played as often as it should.
const done = -2
