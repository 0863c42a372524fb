package intake_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/vigil-agent/vigil/logs/intake"
	"github.com/vigil-agent/vigil/logs/intake/journal"
)

// store keeps lines and marks in one transaction, like a table of a database would.
type store struct {
	mu    sync.Mutex
	lines []string
	marks map[string]journal.Mark
}

// Stream implements intake.Sink.
func (s *store) Stream() intake.SinkStream { return &storeStream{store: s} }

// Sessions implements intake.Sink: what a restarted server knows of its senders.
func (s *store) Sessions() (out []journal.Mark) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.marks {
		out = append(out, m)
	}
	return out
}

type storeStream struct {
	store  *store
	failed error
}

// Append implements intake.SinkStream. The memory of lines is used again when it
// returns, so what is kept is copied.
func (s *storeStream) Append(lines []journal.Line, mark journal.Mark, done func(error)) {
	if s.failed == nil {
		s.failed = s.store.commit(lines, mark)
	}
	done(s.failed) // a batch that comes after a failed one fails, too
}

func (s *store) commit(lines []journal.Line, mark journal.Mark) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range lines {
		s.lines = append(s.lines, string(l.Message))
	}
	if mark != (journal.Mark{}) {
		s.marks[mark.Session] = mark
	}
	return nil
}

// A server whose lines go to another store than the journal.
func ExampleSink() {
	s := &store{marks: map[string]journal.Mark{}}
	server, err := intake.New(intake.Config{Listen: "127.0.0.1:0"}, intake.Deps{Sink: s})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := server.Start(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	// What a stream does with a batch that was sent and checked.
	s.Stream().Append([]journal.Line{{}}, journal.Mark{Session: "a", Epoch: 1, Seq: 1}, func(err error) { fmt.Println("durable:", err == nil) })
	fmt.Println(server.Stop(context.Background()), len(s.lines), s.Sessions())
	// Output:
	// durable: true
	// <nil> 1 [{a 1 1}]
}
