package main

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// fuzzTarget is one fuzz function.
type fuzzTarget struct{ dir, name string }

var fuzzFunc = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(\w+ \*testing\.F\)`)

func fuzzVerb(r *repo) *cobra.Command {
	var each time.Duration
	cmd := &cobra.Command{
		Use:     "fuzz [REGEXP]",
		Short:   "Fuzz every decoder for a while",
		Example: "  go run ./tasks fuzz\n  go run ./tasks fuzz FuzzDecode --each 5m",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			filter, err := regexp.Compile(strings.Join(args, ""))
			if err != nil {
				return fmt.Errorf("read the pattern: %w", err)
			}
			targets, err := r.fuzzTargets()
			if err != nil {
				return err
			}
			for _, target := range targets {
				if !filter.MatchString(target.name) {
					continue
				}
				if err := r.run(cmd.Context(), command{dir: target.dir, name: "go", args: []string{
					"test", "-run", "^$", "-fuzz", "^" + target.name + "$", "-fuzztime", each.String(), ".",
				}}); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().DurationVar(&each, "each", 10*time.Second, "how long each target is fuzzed")
	return cmd
}

func (r *repo) fuzzTargets() ([]fuzzTarget, error) {
	var targets []fuzzTarget
	err := r.goFiles(func(file string) error {
		if !strings.HasSuffix(file, "_test.go") {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(r.root, file))
		if err != nil {
			return err
		}
		for _, match := range fuzzFunc.FindAllSubmatch(data, -1) {
			targets = append(targets, fuzzTarget{dir: path.Dir(file), name: string(bytes.Clone(match[1]))})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find the fuzz targets: %w", err)
	}
	return targets, nil
}
