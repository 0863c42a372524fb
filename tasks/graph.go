package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

func graphVerb(r *repo) *cobra.Command {
	return &cobra.Command{
		Use:     "graph",
		Short:   "Show which module needs which, and the committed component graph",
		Example: "  go run ./tasks graph",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fmt.Println("modules")
			for _, m := range r.modules {
				fmt.Printf("  %-11s -> %s\n", m.dir, strings.Join(m.siblings(), ", "))
			}
			listing, err := os.ReadFile(filepath.Join(r.root, "comp", "docs", "graph.txt"))
			if err != nil {
				return fmt.Errorf("read the component graph: %w; make it with `go run ./tasks gen`", err)
			}
			fmt.Printf("\ncomponents\n%s", listing)
			return nil
		},
	}
}
