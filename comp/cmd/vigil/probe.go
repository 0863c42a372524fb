package main

import (
	"github.com/spf13/cobra"
)

func newProbe() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "probe",
		Short: "What a probe on a Go program would do",
		Long: `Questions about probes: what one would cost and see.

A probe is a breakpoint of the kernel on a function or line of a Go program; the program is not stopped.`,
		Example: `  vigil probe explain ./app main.checkout`,
		Args:    unknownCommand,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newProbeExplain())
	return cmd
}
