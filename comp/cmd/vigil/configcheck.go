package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vigil-agent/vigil/comp/config"
)

func newConfigcheck() *cobra.Command {
	var flags configFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "configcheck [FILE]",
		Aliases: []string{"validate"},
		Short:   "Find every mistake in the configuration, with its place",
		Long: `Read the configuration as run would (flags, environment, conf.d, file) and report every
mistake at once, each with file:line:column. Nothing is started. Exit code 78 means mistakes.`,
		Example: "  vigil configcheck vigil.yaml\n  vigil configcheck --json --set logs.enabled=true",
		Args:    argsBetween(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				flags.file = args[0]
			}
			loaded, err := flags.load(nil)
			if asJSON {
				return printCheck(cmd, loaded, err)
			}
			if err != nil {
				return err
			}
			warn(cmd, loaded)
			files := "no file; defaults and environment alone"
			if len(loaded.Files) > 0 {
				files = strings.Join(loaded.Files, ", ")
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "✓ the configuration is valid (%s)\n", files)
			return err
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printCheck prints the outcome as JSON; the exit code is as without it.
func printCheck(cmd *cobra.Command, loaded *config.Loaded, err error) error {
	var problems config.Problems
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	outcome := struct {
		Valid    bool             `json:"valid"`
		Problems config.Problems  `json:"problems"`
		Warnings []config.Problem `json:"warnings"`
	}{Valid: err == nil, Problems: config.Problems{}, Warnings: []config.Problem{}}
	if err != nil {
		outcome.Problems = problems
	} else if loaded.Warnings != nil {
		outcome.Warnings = loaded.Warnings
	}
	if printErr := printJSON(cmd, outcome); printErr != nil {
		return printErr
	}
	if err != nil {
		return &exitError{code: exitBadConfig}
	}
	return nil
}
