package intake

import "github.com/vigil-agent/vigil/logs/intake/journal"

// sinkFunc is a Sink that has stored the lines when it returns. It keeps no marks.
type sinkFunc func(lines []journal.Line) error

// Stream implements Sink.
func (f sinkFunc) Stream() SinkStream { return &funcStream{store: f} }

// Sessions implements Sink.
func (f sinkFunc) Sessions() []journal.Mark { return nil }

type funcStream struct {
	store  sinkFunc
	failed error
}

// Append implements SinkStream.
func (s *funcStream) Append(lines []journal.Line, _ journal.Mark, done func(error)) {
	if s.failed == nil && len(lines) > 0 {
		s.failed = s.store(lines)
	}
	done(s.failed)
}
