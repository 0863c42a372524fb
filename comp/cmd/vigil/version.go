package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vigil-agent/vigil/comp/version"
)

func newVersion() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Say which build this is",
		Example: "  vigil version\n  vigil version --json",
		Args:    argsBetween(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			info := version.Get()
			if asJSON {
				return printJSON(cmd, info)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "vigil %s (%s, %s/%s)\n", info.Version, info.Go, info.OS, info.Arch)
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
