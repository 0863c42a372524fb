package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// command is a program to run inside the checkout.
type command struct {
	// dir is relative to the root.
	dir  string
	env  []string
	name string
	args []string
}

// String is what a person would type.
func (c command) String() string {
	text := strings.Join(append(append([]string{}, c.env...), append([]string{c.name}, c.args...)...), " ")
	if c.dir != "" && c.dir != "." {
		text = "cd " + c.dir + " && " + text
	}
	return text
}

func (r *repo) prepare(ctx context.Context, c command) *exec.Cmd {
	cmd := exec.CommandContext(ctx, c.name, c.args...)
	cmd.Dir = filepath.Join(r.root, c.dir)
	cmd.Env = append(os.Environ(), c.env...)
	return cmd
}

// run shows the command and its output.
func (r *repo) run(ctx context.Context, c command) error {
	fmt.Fprintln(os.Stderr, "+", c)
	cmd := r.prepare(ctx, c)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", c, err)
	}
	return nil
}

// output returns the command's standard output; its error shows what the
// command wrote to standard error.
func (r *repo) output(ctx context.Context, c command) (string, error) {
	cmd := r.prepare(ctx, c)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("%s: %w\n%s", c, err, strings.TrimSpace(string(out)+stderr.String()))
	}
	return string(out), nil
}
