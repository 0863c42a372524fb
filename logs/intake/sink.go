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

// journalSink is the Sink of a journal.
type journalSink struct{ *journal.Journal }

// Stream implements Sink.
func (s journalSink) Stream() SinkStream { return s.Journal.Stream() }
