package main

import (
	"fmt"
	"os"
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
		Example:            "  go run ./tasks bench\n  go run ./tasks bench idle --seconds 60",
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			names, err := r.benches()
			if err != nil {
				return err
			}
			if len(args) == 0 || args[0] == "-h" || args[0] == "--help" {
				fmt.Println("benchmarks:", strings.Join(names, ", "))
				return nil
			}
			if !slices.Contains(names, args[0]) {
				return fmt.Errorf("no benchmark %q; there are %s", args[0], strings.Join(names, ", "))
			}
			return r.run(cmd.Context(), command{dir: "test", name: "go", args: append([]string{"run", "./bench/" + args[0]}, args[1:]...)})
		},
	}
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
