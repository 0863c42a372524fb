package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
)

// xzMethod is a whole file at once: what the text holds for a compressor that
// may look everywhere, and no stream.
const xzMethod = "xz -9"

// errNoXZ means that the program is not installed.
var errNoXZ = errors.New("not measured: install xz-utils")

func measureXZ(ctx context.Context, c *corpus) (result, error) {
	r := result{Corpus: c.name, Method: xzMethod, Lines: len(c.recs), Raw: c.raw, Floor: c.floor}
	text := appendLines(make([]byte, 0, c.raw+1), c.recs)
	packed, encode, err := pipe(ctx, text, "xz", "-9", "-c", "-T1")
	if errors.Is(err, exec.ErrNotFound) {
		return r, errNoXZ
	}
	if err != nil {
		return r, err
	}
	back, decode, err := pipe(ctx, packed, "xz", "-d", "-c")
	if err != nil {
		return r, err
	}
	if !bytes.Equal(back, text) {
		return r, errors.New("what was decoded is not what was encoded")
	}
	r.Bytes, r.Encode, r.Decode = len(packed), encode/float64(r.Lines), decode/float64(r.Lines)
	return r, nil
}

// pipe runs a program on in; cpu is what it used, in microseconds.
func pipe(ctx context.Context, in []byte, name string, args ...string) (out []byte, cpu float64, err error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if out, err = cmd.Output(); err != nil {
		return nil, 0, fmt.Errorf("%s: %w\n%s", name, err, stderr.Bytes())
	}
	used := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return out, float64(used.Nanoseconds()) / 1e3, nil
}
