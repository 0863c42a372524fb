package harness

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Process is a program that was started and will be waited for.
type Process struct {
	cmd   *exec.Cmd
	ended chan struct{}
	err   error
}

// Options say how a program is started.
type Options struct {
	Path string
	Args []string
	// Env is added to the environment.
	Env []string
	// Stderr is a file that gets the standard error; Stdout likewise. Empty
	// means that it is dropped.
	Stdout, Stderr string
	// User runs it as another user; nil means this one.
	User *syscall.Credential
	// Watch is called with every line of standard error; it may be nil.
	Watch func(line []byte)
}

// Start starts a program in a process group of its own, so that Ctrl-C reaches
// it through Stop and not directly. It dies with this process.
func Start(o Options) (*Process, error) {
	p := &Process{cmd: exec.Command(o.Path, o.Args...), ended: make(chan struct{})}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: o.User}
	p.cmd.Env = append(os.Environ(), o.Env...)
	stdout, err := create(o.Stdout)
	if err != nil {
		return nil, err
	}
	stderr, err := create(o.Stderr)
	if err != nil {
		return nil, errors.Join(err, stdout.Close())
	}
	closeFiles := func() error { return errors.Join(stdout.Close(), stderr.Close()) }
	p.cmd.Stdout = stdout
	lines, err := p.cmd.StderrPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", o.Path, err), closeFiles())
	}
	go func() { // owned by Wait, Stop and Kill, which wait for ended
		defer close(p.ended)
		reader := bufio.NewReader(io.TeeReader(lines, stderr))
		for {
			line, err := reader.ReadBytes('\n')
			if len(line) > 0 && o.Watch != nil {
				o.Watch(line)
			}
			if err != nil {
				break
			}
		}
		p.err = errors.Join(p.cmd.Wait(), closeFiles())
	}()
	return p, nil
}

// create opens a file for appending, so that a restarted program continues it.
func create(path string) (*os.File, error) {
	if path == "" {
		path = os.DevNull
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the output of a program: %w", err)
	}
	return file, nil
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Wait waits for the end and returns what is wrong with it: an
// *exec.ExitError for a bad exit code.
func (p *Process) Wait() error {
	<-p.ended
	return p.err
}

// Kill ends the process as a crash would, and waits for it.
func (p *Process) Kill() error {
	err := p.cmd.Process.Kill()
	<-p.ended
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Stop ends the process gently, after the timeout by force, and waits for it.
// It may be called again, and after Kill.
func (p *Process) Stop(timeout time.Duration) error {
	select {
	case <-p.ended:
		return nil
	default:
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.cmd.Path, err)
	}
	select {
	case <-p.ended:
		if p.err != nil {
			return fmt.Errorf("%s ended badly: %w", p.cmd.Path, p.err)
		}
		return nil
	case <-time.After(timeout):
		return errors.Join(fmt.Errorf("%s did not end within %s and was killed", p.cmd.Path, timeout), p.Kill())
	}
}
