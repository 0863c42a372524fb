package stress

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/vigil-agent/vigil/test/harness"
)

// targetPackage is the program that is probed.
const targetPackage = "github.com/vigil-agent/vigil/test/stress/target"

// breakpoint is the instruction that the kernel puts in the place of a probed
// one (INT3).
const breakpoint = 0xcc

// removal is how long the kernel may take to remove the probes of an agent that
// was killed.
const removal = 10 * time.Second

// Round is one agent from start to end.
type Round struct {
	// Sites is how many instructions had a breakpoint.
	Sites int
	Counters
	// Work is how many jobs the target did meanwhile.
	Work uint64
	// Before, During and After are what a call of a probed function took at best.
	Before, During, After time.Duration
}

// Run runs the target for the given time, with an agent that is killed at the
// end of each round. It fails when the target crashes, finds a wrong result or
// is left with a breakpoint.
func Run(ctx context.Context, length, round time.Duration, report func(Round)) (err error) {
	dir, err := os.MkdirTemp("", "vigil-stress-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	path := filepath.Join(dir, "target")
	if err := harness.Build(ctx, targetPackage, path); err != nil {
		return err
	}
	t, err := startTarget(ctx, path)
	if err != nil {
		return err
	}
	for end := time.Now().Add(length); time.Now().Before(end) && ctx.Err() == nil; {
		r, err := t.round(ctx, round)
		if err != nil {
			return errors.Join(err, t.end())
		}
		report(r)
	}
	return errors.Join(ctx.Err(), t.end())
}

// target is the running program.
type target struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
}

func startTarget(ctx context.Context, path string) (*target, error) {
	t := &target{cmd: exec.CommandContext(ctx, path)}
	t.cmd.Stderr = os.Stderr
	t.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdin, err := t.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := t.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the target: %w", err)
	}
	t.stdin, t.out = stdin, bufio.NewReader(stdout)
	if _, err := fmt.Fscanf(t.out, "ready\n"); err != nil {
		return nil, errors.Join(fmt.Errorf("the target is not ready: %w", err), t.end())
	}
	return t, nil
}

// end lets the target end by itself; the error is that of a crash or of a wrong
// result.
func (t *target) end() error {
	if err := errors.Join(t.stdin.Close(), t.cmd.Wait()); err != nil {
		return fmt.Errorf("the target was harmed: %w", err)
	}
	return nil
}

// ask is a number the target knows.
func (t *target) ask(question, answer string) (n uint64, err error) {
	if _, err := fmt.Fprintln(t.stdin, question); err != nil {
		return 0, fmt.Errorf("the target is gone: %w", err)
	}
	if _, err := fmt.Fscanf(t.out, answer+" %d\n", &n); err != nil {
		return 0, fmt.Errorf("the target does not answer %q: %w", question, err)
	}
	return n, nil
}

func (t *target) measure() (time.Duration, error) {
	n, err := t.ask("measure", "call")
	return time.Duration(n), err
}

// round starts an agent, lets it work and kills it.
func (t *target) round(ctx context.Context, length time.Duration) (r Round, err error) {
	if r.Before, err = t.measure(); err != nil {
		return r, err
	}
	a, sites, err := startAgent(ctx, t.cmd.Process.Pid)
	if err != nil {
		return r, err
	}
	r.Sites = len(sites)
	err = t.load(ctx, a, sites, length, &r)
	if err = errors.Join(err, a.kill(&r)); err != nil {
		return r, err
	}
	if err := t.clean(ctx, sites); err != nil {
		return r, err
	}
	r.After, err = t.measure()
	return r, err
}

// load is the time with probes.
func (t *target) load(ctx context.Context, a *agent, sites []site, length time.Duration, r *Round) error {
	left, err := t.breakpoints(sites)
	if err != nil {
		return err
	}
	if len(left) != len(sites) {
		return fmt.Errorf("%d of %d sites have a breakpoint", len(left), len(sites))
	}
	before, err := t.ask("done", "done")
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-a.ended:
		return errors.New("the agent ended by itself")
	case <-time.After(length):
	}
	if r.During, err = t.measure(); err != nil {
		return err
	}
	after, err := t.ask("done", "done")
	r.Work = after - before
	if err == nil && r.Work == 0 {
		err = errors.New("the target did nothing while it was probed")
	}
	return err
}

// breakpoints are the sites that have one.
func (t *target) breakpoints(sites []site) ([]site, error) {
	now := slices.Clone(sites)
	if err := firstBytes(t.cmd.Process.Pid, now); err != nil {
		return nil, err
	}
	var found []site
	for i, s := range now {
		switch {
		case s.Byte == breakpoint:
			found = append(found, s)
		case s.Byte != sites[i].Byte:
			return nil, fmt.Errorf("the code at %#x was %#x and is %#x", s.PC, sites[i].Byte, s.Byte)
		}
	}
	return found, nil
}

// clean waits until the code of the target is as it was.
func (t *target) clean(ctx context.Context, sites []site) error {
	ctx, cancel := context.WithTimeout(ctx, removal)
	defer cancel()
	for {
		left, err := t.breakpoints(sites)
		if err != nil || len(left) == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d breakpoints are left %s after the agent was killed", len(left), len(sites), removal)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// agent is a process that probes the target.
type agent struct {
	cmd   *exec.Cmd
	ended chan struct{} // it prints nothing any more
	last  Counters      // read after ended
}

func startAgent(ctx context.Context, pid int) (*agent, []site, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	a := &agent{cmd: exec.CommandContext(ctx, self), ended: make(chan struct{})}
	a.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", agentOf, pid))
	a.cmd.Stderr = os.Stderr
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	stdout, err := a.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := a.cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start the agent: %w", err)
	}
	messages := json.NewDecoder(stdout)
	var first message
	err = messages.Decode(&first)
	go func() { // owned by kill
		defer close(a.ended)
		for {
			var m message
			if messages.Decode(&m) != nil {
				return
			}
			a.last = m.Counters
		}
	}()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("the agent placed no probes: %w", err), a.kill(&Round{}))
	}
	return a, first.Sites, nil
}

// kill ends the agent as a crash would, and adds what it had seen.
func (a *agent) kill(r *Round) error {
	if err := a.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-a.ended
	r.Counters = a.last
	var exit *exec.ExitError
	if err := a.cmd.Wait(); !errors.As(err, &exit) {
		return fmt.Errorf("the agent ended: %w", err)
	}
	return nil
}
