package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/test/harness"
)

const targetPackage = "github.com/vigil-agent/vigil/test/bench/debugger/target"

// target is the running program with the probed functions.
type target struct {
	bin   *binary.Binary
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
	dir   string
}

func startTarget(ctx context.Context) (t *target, err error) {
	dir, err := os.MkdirTemp("", "vigil-bench-debugger-")
	if err != nil {
		return nil, err
	}
	t = &target{dir: dir}
	defer func() {
		if err != nil {
			err = errors.Join(err, t.end())
		}
	}()
	path := filepath.Join(dir, "target")
	if err := harness.Build(ctx, targetPackage, path); err != nil {
		return nil, err
	}
	if t.bin, err = binary.Open(path); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path)
	cmd.Stderr = os.Stderr
	if t.stdin, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the target: %w", err)
	}
	t.cmd, t.out = cmd, bufio.NewReader(out)
	if _, err := fmt.Fscanf(t.out, "ready\n"); err != nil {
		return nil, fmt.Errorf("the target is not ready: %w", err)
	}
	return t, nil
}

func (t *target) pid() int { return t.cmd.Process.Pid }

// call calls one of the functions n times.
func (t *target) call(function string, n int) (time.Duration, error) {
	if _, err := fmt.Fprintln(t.stdin, function, n); err != nil {
		return 0, fmt.Errorf("the target is gone: %w", err)
	}
	var took int64
	if _, err := fmt.Fscanf(t.out, "%d\n", &took); err != nil {
		return 0, fmt.Errorf("the target does not answer: %w", err)
	}
	return time.Duration(took), nil
}

func (t *target) end() (err error) {
	if t.cmd != nil {
		err = errors.Join(t.stdin.Close(), t.cmd.Wait())
	}
	if t.bin != nil {
		err = errors.Join(err, t.bin.Close())
	}
	return errors.Join(err, os.RemoveAll(t.dir))
}
