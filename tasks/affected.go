package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func affectedVerb(r *repo) *cobra.Command {
	return &cobra.Command{
		Use:     "affected BASE",
		Short:   "Print, as JSON, the modules that the changes since BASE touch, and their dependants",
		Example: "  go run ./tasks affected origin/main",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			changed, err := r.output(cmd.Context(), command{name: "git", args: []string{"diff", "--name-only", args[0]}})
			if err != nil {
				return err
			}
			list, err := json.Marshal(r.affected(strings.Fields(changed)))
			if err != nil {
				return err
			}
			fmt.Println(string(list))
			return nil
		},
	}
}

// affected are the modules whose tests the changed files can turn red. A file
// outside every module (the workspace, the workflows) can turn all of them.
func (r *repo) affected(changed []string) []string {
	found := map[string]bool{}
	for _, file := range changed {
		dir, _, _ := strings.Cut(file, "/")
		if !slices.Contains(r.names(), dir) {
			if strings.HasSuffix(file, ".md") {
				continue
			}
			return r.names()
		}
		for _, dependant := range r.dependants(dir) {
			found[dependant] = true
		}
	}
	modules := []string{}
	for _, name := range r.names() {
		if found[name] {
			modules = append(modules, name)
		}
	}
	return modules
}
