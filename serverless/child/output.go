package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"
)

// readSize is what one read of the application's output takes at most, in bytes:
// what a pipe holds by default (pipe(7)).
const readSize = 64 << 10

// drainPoll is the time between two looks at a pipe that is not empty.
const drainPoll = time.Millisecond

// ErrUnread says that output of the application was not read in time.
var ErrUnread = errors.New("child: output of the application has not been read in time")

// output is the application's two standard streams, copied through the agent.
type output struct {
	streams []*stream
	given   [2]*os.File // what the process gets
	ours    []*os.File  // those of given that are to be closed after the spawn
	copied  sync.WaitGroup
}

// stream copies one pipe.
type stream struct {
	name string
	pipe *os.File
	w    io.Writer
	tee  io.Writer // nil for none
	log  *slog.Logger
	lost bool // an error was logged; the copying goroutine's alone

	mu sync.Mutex // held from a read until its bytes are with the tee
}

// openOutput prepares the streams. A file without a tee is handed over as it is,
// without a copy through the agent.
func openOutput(w, tee [2]io.Writer, log *slog.Logger) (*output, error) {
	o := &output{}
	for i, name := range [2]string{"stdout", "stderr"} {
		if f, ok := w[i].(*os.File); ok && tee[i] == nil {
			o.given[i] = f
			continue
		}
		read, write, err := os.Pipe()
		if err != nil {
			o.spawned()
			o.cut()
			return nil, err
		}
		o.given[i] = write
		o.ours = append(o.ours, write)
		o.streams = append(o.streams, &stream{name: name, pipe: read, w: w[i], tee: tee[i], log: log})
	}
	return o, nil
}

// spawned closes the ends that the process has now.
func (o *output) spawned() {
	for _, f := range o.ours {
		_ = f.Close()
	}
}

// cut ends the reading, whoever still holds the other end.
func (o *output) cut() {
	for _, s := range o.streams {
		_ = s.pipe.Close()
	}
}

func (o *output) copy() {
	for _, s := range o.streams {
		o.copied.Go(s.copy)
	}
}

// finish waits for the end of the streams, which a grandchild that inherited
// them, or a writer that blocks, may hold up for patience.
func (o *output) finish(patience time.Duration) {
	done := make(chan struct{})
	go func() {
		o.copied.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(patience):
		o.cut()
		select {
		case <-done:
		case <-time.After(patience): // a writer is stuck; it ends with its write
		}
	}
	o.cut()
}

// drain waits until what the process had written before the call was read and
// is with the tees.
func (o *output) drain(ctx context.Context) error {
	for _, s := range o.streams {
		for !s.drained() {
			select {
			case <-time.After(drainPoll):
			case <-ctx.Done():
				return fmt.Errorf("%w: %w", ErrUnread, context.Cause(ctx))
			}
		}
	}
	return nil
}

// copy runs until the stream ends. A writer's error is logged and no more: a
// broken output of the agent must not break the pipe the application writes to,
// which would kill it.
func (s *stream) copy() {
	buf := make([]byte, readSize)
	for {
		n, err := s.read(buf)
		if n > 0 {
			s.write(s.w, buf[:n])
		}
		if err != nil || n == 0 {
			return
		}
	}
}

func (s *stream) write(w io.Writer, p []byte) {
	if _, err := w.Write(p); err != nil && !s.lost {
		s.lost = true
		s.log.Warn("output of the application is being lost", "stream", s.name, "err", err)
	}
}

// read reads once and writes to the tee, as one step for drained.
func (s *stream) read(buf []byte) (n int, err error) {
	raw, err := s.pipe.SyscallConn()
	if err != nil {
		return 0, err
	}
	outer := raw.Read(func(fd uintptr) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for {
			n, err = syscall.Read(int(fd), buf)
			if !errors.Is(err, syscall.EINTR) {
				break
			}
		}
		if n > 0 && s.tee != nil {
			s.write(s.tee, buf[:n])
		}
		return !errors.Is(err, syscall.EAGAIN)
	})
	return max(n, 0), errors.Join(err, outer)
}

// drained says that nothing the application wrote is still to be read, or on its
// way to the tee.
func (s *stream) drained() bool {
	if !s.mu.TryLock() {
		return false
	}
	defer s.mu.Unlock()
	raw, err := s.pipe.SyscallConn()
	if err != nil {
		return true
	}
	n := 0
	_ = raw.Control(func(fd uintptr) { n, _ = pipeLength(fd) }) // a closed pipe is empty
	return n == 0
}
