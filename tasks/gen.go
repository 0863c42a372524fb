package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/spf13/cobra"
)

// generator makes committed files from their source.
type generator struct {
	what string
	// needs is a program that must be on the machine; "" means only Go.
	needs   string
	install string
	command command
}

// generators are in the order they must run: later ones read what earlier ones
// wrote.
var generators = []generator{
	{
		what: "BPF objects and their Go bindings", needs: "clang", install: "apt-get install clang llvm libbpf-dev",
		command: command{dir: "debugger", name: "go", args: []string{"generate", "./bpf/..."}},
	},
	{
		what:    "configuration reference, JSON schema and example file",
		command: command{dir: "comp", name: "go", args: []string{"test", "-count=1", "-run", "^TestGenerated$", "./config", "-update"}},
	},
	{
		what:    "graph, metrics and command-line references",
		command: command{dir: "comp", name: "go", args: []string{"test", "-count=1", "-run", "^TestGenerated", "./agent", "./cmd/vigil", "-update"}},
	},
}

func genVerb(r *repo) *cobra.Command {
	return &cobra.Command{
		Use:     "gen",
		Short:   "Regenerate every committed generated file",
		Example: "  go run ./tasks gen",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return r.generate(cmd.Context()) },
	}
}

func (r *repo) generate(ctx context.Context) error {
	for _, g := range generators {
		if g.needs != "" {
			if _, err := exec.LookPath(g.needs); err != nil {
				return fmt.Errorf("%s: %s is not installed: %s", g.what, g.needs, g.install)
			}
		}
		fmt.Fprintln(os.Stderr, "#", g.what)
		if err := r.run(ctx, g.command); err != nil {
			return err
		}
	}
	return nil
}
