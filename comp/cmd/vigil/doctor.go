package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vigil-agent/vigil/comp/doctor"
	"github.com/vigil-agent/vigil/debugger/bpf"
)

func newDoctor() *cobra.Command {
	var flags configFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine lacks for the configuration, and what to type",
		Long: `Look at the kernel, BTF, capabilities, file limits, ports and endpoints that the configuration
needs. ✓ is there, ✗ is needed and missing, ! is missing and not needed by this configuration.
Exit code 1 means that something needed is missing.`,
		Example: "  vigil doctor\n  sudo vigil doctor --config vigil.yaml\n  vigil doctor --json",
		Args:    argsBetween(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := flags.load(nil)
			if err != nil {
				return err
			}
			findings := doctor.Run(cmd.Context(), loaded.Config, doctor.Deps{BPF: bpf.Supported})
			if asJSON {
				if err := printJSON(cmd, findings); err != nil {
					return err
				}
			} else {
				for _, f := range findings {
					printFinding(cmd, f)
				}
			}
			if !doctor.Healthy(findings) {
				return &exitError{code: exitFailed}
			}
			return nil
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printFinding(cmd *cobra.Command, f doctor.Finding) {
	mark := "✓"
	switch {
	case !f.OK && f.Needed:
		mark = "✗"
	case !f.OK:
		mark = "!"
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s %s: %s\n", mark, f.Name, f.Detail)
	if f.Fix != "" {
		fmt.Fprintf(cmd.OutOrStdout(), "    fix: %s\n", f.Fix)
	}
}
