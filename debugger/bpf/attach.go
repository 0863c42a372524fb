package bpf

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// target is one Attach.
type target struct {
	path string
	pid  int
}

// attachment is the links of one target; closing them removes its breakpoints.
type attachment []link.Link

// Attach places the probes in the process pid. path names the file the plans
// were made from and must not come to mean another one: instructions would be
// overwritten where the plans do not belong. binary.Binary.OpenPath is such a
// path. Where the process does not run that file, nothing happens. With pid 0
// the probes are placed in every process that runs the file, now or later.
//
// number is what the events of the process say in Target.
//
// Hits can arrive before Attach returns. An error matches os.ErrNotExist when
// the process or the file is gone; nothing is left behind then.
func (s *Session) Attach(path string, pid int, number uint32) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := target{path, pid}
	switch {
	case s.closed:
		return ErrClosed
	case s.attached[key] != nil:
		return fmt.Errorf("attach to %s: already attached; detach first", key)
	}
	ex, err := link.OpenExecutable(path)
	if err != nil {
		return fmt.Errorf("attach to %s: %w", key, err)
	}
	attach := s.attachEach
	if s.multi {
		attach = s.attachMulti
	}
	a, err := attach(ex, pid, number)
	if errors.Is(err, unix.ESRCH) {
		err = fmt.Errorf("%w: %w", os.ErrNotExist, err)
	}
	if err != nil {
		return fmt.Errorf("attach to %s: %w", key, errors.Join(err, a.close()))
	}
	s.attached[key] = a
	return nil
}

func (t target) String() string {
	if t.pid == 0 {
		return "every process of " + t.path
	}
	return fmt.Sprintf("pid %d (%s)", t.pid, t.path)
}

// cookie is what the program is told about a site (c/layout.h).
func cookie(number uint32, probe, site int) uint64 {
	return uint64(number)<<(2*indexBits) | uint64(probe)<<indexBits | uint64(site)
}

func (s *Session) attachMulti(ex *link.Executable, pid int, number uint32) (attachment, error) {
	var o link.UprobeMultiOptions
	o.PID = uint32(pid)
	for i, p := range s.probes {
		for j, site := range p.Plan.Sites {
			o.Addresses = append(o.Addresses, site.FileOffset)
			o.Cookies = append(o.Cookies, cookie(number, i, j))
		}
	}
	l, err := ex.UprobeMulti(nil, s.prog, &o)
	if err != nil {
		return nil, err
	}
	return attachment{l}, nil
}

func (s *Session) attachEach(ex *link.Executable, pid int, number uint32) (attachment, error) {
	var a attachment
	for i, p := range s.probes {
		for j, site := range p.Plan.Sites {
			l, err := ex.Uprobe("", s.prog, &link.UprobeOptions{Address: site.FileOffset, PID: pid, Cookie: cookie(number, i, j)})
			if err != nil {
				return a, fmt.Errorf("site %#x: %w", site.PC, err)
			}
			a = append(a, l)
		}
	}
	return a, nil
}

// close closes the links at the same time: the kernel waits for a grace period
// in each, and the waits can be shared.
func (a attachment) close() error {
	errs := make([]error, len(a))
	var wg sync.WaitGroup
	for i, l := range a {
		wg.Go(func() { errs[i] = l.Close() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// DetachPID removes the probes from one process, also after it ended. It does
// nothing for a process that has none.
func (s *Session) DetachPID(pid int) error {
	return s.detach(func(t target) bool { return t.pid == pid })
}

// Detach removes the probes from every process. The session stays loaded:
// events that were sent can still be read, and Attach may follow.
func (s *Session) Detach() error { return s.detach(func(target) bool { return true }) }

func (s *Session) detach(match func(target) bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for t, a := range s.attached {
		if !match(t) {
			continue
		}
		delete(s.attached, t)
		if err := a.close(); err != nil {
			errs = append(errs, fmt.Errorf("detach from %s: %w", t, err))
		}
	}
	return errors.Join(errs...)
}
