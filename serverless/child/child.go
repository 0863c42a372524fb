package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// outputGrace is how long the streams may stay open after the process has
	// ended, held by a grandchild that inherited them.
	outputGrace = time.Second
	// killGrace bounds the wait for a killed process; the kernel may hold it in
	// an uninterruptible call.
	killGrace = 2 * time.Second
)

// ErrKilled says that the process did not end by itself in time.
var ErrKilled = errors.New("child: the application did not end on SIGTERM in time and was killed")

// Deps are the collaborators; each may be nil.
type Deps struct {
	Log *slog.Logger
	// Stdout and Stderr get the process's output; default: those of the agent.
	Stdout, Stderr io.Writer
	// TeeStdout and TeeStderr get a copy of it, as the process wrote it and before
	// the outputs do; nil for none. Their Write must not wait: it holds up the
	// process. What it does with a line that has not ended is its own affair.
	TeeStdout, TeeStderr io.Writer
}

// Child is one process, spawned at most once. Nil and the zero value are a
// process that never runs.
type Child struct {
	argv   []string
	w, tee [2]io.Writer // of stdout and stderr; a tee may be nil
	log    *slog.Logger

	mu       sync.Mutex // serialises Start
	started  bool
	startErr error

	cmd   *exec.Cmd // set, like out, before alive becomes true
	out   *output
	alive atomic.Bool
	asked atomic.Bool // SIGTERM was sent
	code  atomic.Int64
	pid   atomic.Int64
	done  chan struct{} // closed when the process has ended and code is final
	wg    sync.WaitGroup
}

// New prepares a process; see Split for the form of command.
func New(command []string, deps Deps) (*Child, error) {
	argv, err := Split(command)
	if err != nil {
		return nil, err
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	log := deps.Log.With("component", "child")
	c := &Child{
		argv: argv,
		w:    [2]io.Writer{os.Stdout, os.Stderr},
		tee:  [2]io.Writer{deps.TeeStdout, deps.TeeStderr},
		log:  log,
		done: make(chan struct{}),
	}
	if deps.Stdout != nil {
		c.w[0] = deps.Stdout
	}
	if deps.Stderr != nil {
		c.w[1] = deps.Stderr
	}
	c.code.Store(NotEnded)
	return c, nil
}

// Start spawns the process. A second call does nothing and repeats the result of
// the first. The context bounds only the call, not the process.
func (c *Child) Start(context.Context) error {
	if c == nil || c.done == nil {
		return ErrNoCommand
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.started {
		return c.startErr
	}
	c.started = true
	c.startErr = c.spawn()
	return c.startErr
}

func (c *Child) spawn() error {
	out, err := openOutput(c.w, c.tee, c.log)
	if err != nil {
		return c.notSpawned(err)
	}
	cmd := exec.Command(c.argv[0], c.argv[1:]...)
	cmd.Stdout, cmd.Stderr = out.given[0], out.given[1]
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	signals := listen()
	err = cmd.Start()
	out.spawned()
	if err != nil {
		signal.Stop(signals)
		out.cut()
		return c.notSpawned(err)
	}
	c.cmd, c.out = cmd, out
	c.pid.Store(int64(cmd.Process.Pid))
	c.alive.Store(true)
	out.copy()
	c.wg.Go(c.reap)
	c.wg.Go(func() { c.pass(signals) })
	c.log.Info("application started", "pid", cmd.Process.Pid, "program", c.argv[0])
	return nil
}

func (c *Child) notSpawned(err error) error {
	c.code.Store(int64(spawnFailureCode(err)))
	close(c.done)
	return fmt.Errorf("child: start %q: %w; check the command and that the file is executable in this image", c.argv[0], err)
}

// reap waits for the end of the process, by whatever path.
func (c *Child) reap() {
	_ = c.cmd.Wait() // the state says more than the error
	code := exitCode(c.cmd.ProcessState)
	c.alive.Store(false)
	c.out.finish(outputGrace)
	c.code.Store(int64(code))
	close(c.done)
	c.log.Info("application ended", "pid", c.cmd.Process.Pid, "exit_code", code)
}

// Drain returns once what the process had written before the call is with
// TeeStdout and TeeStderr, or with ErrUnread when ctx ends.
func (c *Child) Drain(ctx context.Context) error {
	if c.PID() == 0 {
		return nil
	}
	return c.out.drain(ctx)
}

// Alive reports whether the process runs.
func (c *Child) Alive() bool { return c != nil && c.alive.Load() }

// PID is the process's id, or 0 before it was spawned.
func (c *Child) PID() int {
	if c == nil {
		return 0
	}
	return int(c.pid.Load())
}

// Done is closed when the process has ended or could not be spawned; nil, which
// blocks for ever, when there is no process.
func (c *Child) Done() <-chan struct{} {
	if c == nil {
		return nil
	}
	return c.done
}

// ExitCode is the process's own code, 128 plus the number of the signal that
// killed it, 127 or 126 when it could not be spawned, NotEnded otherwise.
func (c *Child) ExitCode() int {
	if c == nil || c.done == nil {
		return NotEnded
	}
	return int(c.code.Load())
}

// Wait blocks until the process has ended and returns ExitCode. It returns at
// once when there is no process or Start was not called.
func (c *Child) Wait() int {
	if c.wasStarted() {
		<-c.done
	}
	return c.ExitCode()
}

// wasStarted reports that Start was called and, if it spawned the process, that
// its goroutines are counted.
func (c *Child) wasStarted() bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.started
}

// Stop asks the process to end with SIGTERM, unless it was asked before or has
// ended, and then kills what is left of its process group. When ctx ends first it
// kills the whole group; then the error is ErrKilled.
func (c *Child) Stop(ctx context.Context) error {
	if !c.wasStarted() {
		return nil
	}
	if !c.Alive() {
		c.wg.Wait()
		c.killGroup()
		return nil
	}
	c.terminate()
	select {
	case <-c.done:
		c.killGroup()
		c.wg.Wait()
		return nil
	case <-ctx.Done():
	}
	c.killGroup()
	patience := time.NewTimer(killGrace)
	defer patience.Stop()
	select {
	case <-c.done:
		c.wg.Wait()
		return fmt.Errorf("%w: %w", ErrKilled, context.Cause(ctx))
	case <-patience.C:
		return fmt.Errorf("child: pid %d does not even end on SIGKILL; it is held inside the kernel", c.PID())
	}
}

// killGroup ends every member. The group may be empty by now; the kernel does
// not give its number to another process while a member lives, and hands numbers
// out in turn, so it is not another group's either.
func (c *Child) killGroup() {
	if pid := c.PID(); pid != 0 {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
}
