package child

import (
	"io"
	"log/slog"
	"os"
	"sync/atomic"
)

// output is what the process gets as one of its standard streams. A file is
// handed over as it is, without a copy through the agent.
func output(name string, w io.Writer, fallback *os.File, log *slog.Logger) io.Writer {
	if w == nil {
		return fallback
	}
	if f, ok := w.(*os.File); ok {
		return f
	}
	return &sink{name: name, w: w, log: log}
}

// sink never reports an error: a broken log pipeline must not break the pipe the
// application writes to, which would kill it.
type sink struct {
	name   string
	w      io.Writer
	log    *slog.Logger
	failed atomic.Bool
}

func (s *sink) Write(p []byte) (int, error) {
	if _, err := s.w.Write(p); err != nil && s.failed.CompareAndSwap(false, true) {
		s.log.Warn("output of the application is being lost", "stream", s.name, "err", err)
	}
	return len(p), nil
}
