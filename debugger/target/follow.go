package target

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Change is a process that began or ended to match. One that executes another
// program ends and, if it still matches, begins again.
type Change struct {
	Process Process
	Ended   bool
}

// How often new processes and new programs of running ones are looked for. Ends
// are seen at once.
const (
	// DefaultInterval is that of selectors that can match any process.
	DefaultInterval = time.Second
	// pidInterval is that of selectors that name pids only: these run already,
	// and rarely execute another program.
	pidInterval = 10 * time.Second
)

// Follower reports the processes that match one of its selectors, from those
// that run when it starts.
type Follower struct {
	scanner  *scanner
	interval time.Duration
	log      *slog.Logger
	changes  chan Change

	once   sync.Once
	stop   chan struct{}
	done   chan struct{} // closed by the goroutine that run is
	wake   int           // eventfd that ends a poll
	pidfds map[int]int   // pid to pidfd; owned by run
}

// NewFollower makes a follower; an interval of 0 means DefaultInterval, or ten
// seconds when every selector names a pid.
func NewFollower(selectors []Selector, interval time.Duration, log *slog.Logger) (*Follower, error) {
	for _, s := range selectors {
		if err := s.Validate(); err != nil {
			return nil, fmt.Errorf("target %s: %w", s, err)
		}
	}
	if interval <= 0 {
		interval = pidInterval
		if slices.ContainsFunc(selectors, func(s Selector) bool { return s.PID == 0 }) {
			interval = DefaultInterval
		}
	}
	return &Follower{
		scanner: newScanner(selectors), interval: interval, log: log,
		changes: make(chan Change), stop: make(chan struct{}), wake: -1, pidfds: map[int]int{},
	}, nil
}

// Start begins to follow. It must be called at most once.
func (f *Follower) Start(context.Context) error {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("follow processes: %w", err)
	}
	f.wake, f.done = wake, make(chan struct{})
	go f.run()
	return nil
}

// Changes delivers what happens, in order. It is closed by Stop.
func (f *Follower) Changes() <-chan Change { return f.changes }

// Stop ends the following and waits for it. Changes that nobody received are
// dropped. It is safe without Start and to call again.
func (f *Follower) Stop(context.Context) error {
	if f.done == nil {
		return nil
	}
	f.once.Do(func() {
		close(f.stop)
		_, _ = unix.Write(f.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // an eventfd of 0 takes 1
		<-f.done
		_ = unix.Close(f.wake)
	})
	return nil
}

func (f *Follower) run() {
	defer close(f.done)
	defer close(f.changes)
	defer func() {
		for pid := range f.pidfds {
			f.unwatch(pid)
		}
	}()
	failed := false
	for {
		next := time.Now().Add(f.interval)
		changes, err := f.scanner.scan()
		if err != nil && !failed {
			f.log.Error("cannot look for processes; trying again", "interval", f.interval, "error", err)
		}
		failed = err != nil
		for _, c := range changes {
			if !f.report(c) {
				return
			}
		}
		for time.Now().Before(next) {
			for _, pid := range f.poll(time.Until(next)) {
				if !f.report(f.scanner.end(pid)) {
					return
				}
			}
			select {
			case <-f.stop:
				return
			default:
			}
		}
	}
}

// report delivers a change; false means that the follower was stopped.
func (f *Follower) report(c Change) bool {
	if c.Ended {
		f.unwatch(c.Process.PID)
	} else {
		f.watch(c.Process.PID)
	}
	select {
	case f.changes <- c:
		return true
	case <-f.stop:
		return false
	}
}

// watch opens a descriptor that becomes readable when the process ends. Where
// that fails, the next scan finds out.
func (f *Follower) watch(pid int) {
	if fd, err := unix.PidfdOpen(pid, 0); err == nil {
		f.pidfds[pid] = fd
	}
}

func (f *Follower) unwatch(pid int) {
	if fd, ok := f.pidfds[pid]; ok {
		_ = unix.Close(fd)
		delete(f.pidfds, pid)
	}
}

// poll waits for a process to end, for Stop, or for the time to pass. It
// returns the pids that ended.
func (f *Follower) poll(d time.Duration) (ended []int) {
	fds := []unix.PollFd{{Fd: int32(f.wake), Events: unix.POLLIN}}
	pids := []int{0}
	for pid, fd := range f.pidfds {
		fds = append(fds, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
		pids = append(pids, pid)
	}
	// An interrupted call counts as an early return.
	_, _ = unix.Poll(fds, int(d.Milliseconds())+1)
	for i, fd := range fds[1:] {
		if fd.Revents != 0 {
			ended = append(ended, pids[i+1])
		}
	}
	return ended
}
