package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/vigil-agent/vigil/debugger"
)

func newProbeExplain() *cobra.Command {
	var asJSON bool
	o := debugger.ExplainOptions{}
	cmd := &cobra.Command{
		Use:   "explain PID|BIN FUNC|FILE:LINE",
		Short: "Where a probe would be, what a hit would cost, and which variables could be read",
		Long: `Say what a probe on a function or a line would do, without placing it: the instructions it would be on and
what a hit of each costs, and for every variable where it is read from, or why it cannot be.

FUNC is a qualified Go name such as main.handle or net/http.(*Server).Serve, or the end of one that fits a
single function; every instance of a generic function and every inlined copy is shown. FILE is a path as the
compiler saw it, or the end of one from a slash on.

A binary needs no privileges and no configuration; a PID needs the right to read /proc/PID/exe. With the
privileges that probes need, the costs are measured on this machine; else they are those of a virtual machine,
more than on bare metal, and the answer says so.

With --code it prints the byte-code as well that would capture the variables: first the copies to the root item, at
entries or the line, then at returns and at jumps to other functions, then what is run on each element behind a
pointer, a slice or a map.`,
		Example: `  vigil probe explain ./app 'main.(*Server).handle'
  vigil probe explain ./app server.go:42
  vigil probe explain ./app main.checkout --code
  sudo vigil probe explain $(pidof app) main.checkout --json | jq '.placements[].variables[] | select(.readable | not)'`,
		Args: argsBetween(2, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Most < 1 {
				return usageError("--most takes a number of 1 or more")
			}
			return probeExplain(cmd, args[0], args[1], o, asJSON)
		},
	}
	cmd.Flags().IntVar(&o.Most, "most", debugger.ExplainMost, "places shown; more are counted only")
	cmd.Flags().BoolVar(&o.Code, "code", false, "print the byte-code that would capture the variables")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answer as JSON")
	return cmd
}

func probeExplain(cmd *cobra.Command, program, what string, o debugger.ExplainOptions, asJSON bool) error {
	pid, err := strconv.Atoi(program)
	explain := func() (*debugger.Explanation, error) { return debugger.Explain(program, what, o) }
	switch {
	case err != nil:
	case pid > 0:
		explain = func() (*debugger.Explanation, error) { return debugger.ExplainPID(pid, what, o) }
	default:
		return usageError("%q is not a pid", program)
	}
	report, err := explain()
	if err != nil {
		return err
	}
	if asJSON {
		return printJSON(cmd, report)
	}
	if _, err := cmd.OutOrStdout().Write(report.Text()); err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}
