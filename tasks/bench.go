package main

import (
	"context"
	"errors"
	"fmt"
	"go/doc"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func benchVerb(r *repo) *cobra.Command {
	return &cobra.Command{
		Use:   "bench [NAME [ARGS...]]",
		Short: "Run one of the benchmarks of test/bench, or list them",
		Long: "Run one of the benchmarks of test/bench: programs that measure the built agent as a user would.\n" +
			"Go benchmarks of single packages are run with `go test -bench`.",
		Example:            "  go run ./tasks bench\n  go run ./tasks bench idle --seconds 60\n  go run ./tasks bench logs -h",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			names, err := r.benches()
			if err != nil {
				return err
			}
			if len(args) == 0 || args[0] == "-h" || args[0] == "--help" {
				fmt.Printf("usage: go run ./tasks %s\n\n", cmd.Use)
				for _, name := range names {
					what, err := r.benchSynopsis(name)
					if err != nil {
						return err
					}
					fmt.Printf("  %-8s %s\n", name, what)
				}
				fmt.Printf("\nFlags of one: go run ./tasks bench NAME -h\n")
				return nil
			}
			if !slices.Contains(names, args[0]) {
				return fmt.Errorf("no benchmark %q; there are %s", args[0], strings.Join(names, ", "))
			}
			return r.bench(cmd.Context(), args[0], args[1:])
		},
	}
}

// bench builds a benchmark and runs it in the caller's folder, so that the files
// among its arguments are found. Its output is its alone.
func (r *repo) bench(ctx context.Context, name string, args []string) (err error) {
	dir, err := os.MkdirTemp("", "vigil-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	program := filepath.Join(dir, name)
	if err := r.run(ctx, command{dir: "test", name: "go", args: []string{"build", "-o", program, "./bench/" + name}}); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("bench %s: %w", name, err)
	}
	return nil
}

func (r *repo) benches() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(r.root, "test", "bench"))
	if err != nil {
		return nil, fmt.Errorf("list the benchmarks: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if entry.IsDir() {
			names = append(names, entry.Name())
		}
	}
	return names, nil
}

// benchSynopsis is the first sentence of a benchmark's documentation, which
// starts with "Command NAME".
func (r *repo) benchSynopsis(name string) (string, error) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(r.root, "test", "bench", name, "main.go"), nil, parser.ParseComments|parser.PackageClauseOnly)
	if err != nil {
		return "", fmt.Errorf("read what %s is: %w", name, err)
	}
	text := new(doc.Package).Synopsis(file.Doc.Text())
	return strings.TrimPrefix(text, "Command "+name+" "), nil
}
