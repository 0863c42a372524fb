package intake

import "github.com/vigil-agent/vigil/logs/intake/journal"

// Sink makes received lines durable.
type Sink interface {
	// Stream returns where the lines of one more stream go.
	Stream() SinkStream
	// Sessions are the marks that were durable when the sink was opened: the last
	// one of each session.
	Sessions() []journal.Mark
}

// SinkStream takes the batches of one stream, in order and from one goroutine.
type SinkStream interface {
	// Append takes lines, which it must not keep: their memory is used again as
	// soon as it returns. It calls done once, from any goroutine and without
	// waiting for it, when the lines are durable or failed; calls come in the order
	// of the batches. Once one batch failed, those after it must fail too, or a
	// replay would come out of order. A mark that is not zero becomes durable with
	// the lines or not at all: it keeps a replay from being stored twice.
	Append(lines []journal.Line, mark journal.Mark, done func(error))
}

// SinkFunc is a Sink that has stored the lines when it returns. It may be called
// from several goroutines, one for each stream. It keeps no marks, so a batch may
// be stored again after a restart.
type SinkFunc func(lines []journal.Line) error

// Stream implements Sink.
func (f SinkFunc) Stream() SinkStream { return &funcStream{store: f} }

// Sessions implements Sink.
func (f SinkFunc) Sessions() []journal.Mark { return nil }

type funcStream struct {
	store  SinkFunc
	failed error
}

// Append implements SinkStream.
func (s *funcStream) Append(lines []journal.Line, _ journal.Mark, done func(error)) {
	if s.failed == nil && len(lines) > 0 {
		s.failed = s.store(lines)
	}
	done(s.failed)
}

// journalSink is the Sink of a journal.
type journalSink struct{ *journal.Journal }

// Stream implements Sink.
func (s journalSink) Stream() SinkStream { return s.Journal.Stream() }
