package main

import (
	"path/filepath"

	"github.com/spf13/cobra"
)

// tool is a command that runs a program pinned in tasks/tools/go.mod, which is
// not part of the workspace. It is built once and then cached by the go command.
func (r *repo) tool(dir, name string, args ...string) command {
	modfile := filepath.Join(r.root, "tasks", "tools", "go.mod")
	return command{
		dir: dir, name: "go", env: []string{"GOWORK=off"},
		args: append([]string{"tool", "-modfile=" + modfile, name}, args...),
	}
}

func lintVerb(r *repo) *cobra.Command {
	return &cobra.Command{
		Use:     "lint [MODULE...]",
		Short:   "Run the pinned linters",
		Example: "  go run ./tasks lint\n  go run ./tasks lint logs",
		RunE: func(cmd *cobra.Command, args []string) error {
			modules, err := r.pick(args)
			if err != nil {
				return err
			}
			for _, m := range modules {
				if err := r.run(cmd.Context(), r.tool(m.dir, "golangci-lint", "run", "--config", filepath.Join(r.root, ".golangci.yml"), "./...")); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func fmtVerb(r *repo) *cobra.Command {
	return &cobra.Command{
		Use:     "fmt [MODULE...]",
		Short:   "Format the code with the pinned formatters",
		Example: "  go run ./tasks fmt",
		RunE: func(cmd *cobra.Command, args []string) error {
			modules, err := r.pick(args)
			if err != nil {
				return err
			}
			for _, m := range modules {
				if err := r.run(cmd.Context(), r.tool(m.dir, "golangci-lint", "fmt", "--config", filepath.Join(r.root, ".golangci.yml"), "./...")); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
