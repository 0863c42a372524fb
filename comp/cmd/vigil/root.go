package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vigil-agent/vigil/comp/config"
	"github.com/vigil-agent/vigil/comp/version"
)

// Exit codes; a supervised application's own code is passed on by run.
const (
	exitOK        = 0
	exitFailed    = 1
	exitUsage     = 2
	exitBadConfig = 78 // EX_CONFIG of sysexits.h
)

// exitError ends the process with a code of its own. A nil err prints nothing.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usageError marks what a person typed wrong on the command line.
func usageError(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// execute runs one command line and returns the process's exit code.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	strict(root)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code, text := exitFailed, err.Error()
	var exit *exitError
	var problems config.Problems
	switch {
	case errors.As(err, &exit):
		code = exit.code
		if exit.err == nil {
			return code
		}
	case errors.As(err, &problems):
		code = exitBadConfig
	}
	fmt.Fprintln(stderr, "vigil: "+strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  "))
	return code
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "vigil",
		Short: "Watch Go services from the outside: lifecycle, live snapshots, logs",
		Long: `vigil is one agent for people who run Go services. Three engines, each switched on in YAML:

  serverless  inside an AWS Lambda MicroVM: answers the lifecycle hooks and says "this instance is alive"
  debugger    typed snapshots from any function of a running, unmodified Go process
  logs        ships logs over a stateful gRPC stream that learns what repeats and never sends it again

Exit codes: 0 ok, 1 failed, 2 wrong usage, 78 wrong configuration.`,
		Example: `  vigil trace 4242 main.handle          # watch a function of a running process, no configuration needed
  vigil configcheck vigil.yaml          # find every mistake before anything starts
  vigil run --config vigil.yaml         # run the agent
  vigil status                          # problems first`,
		Version:                    version.Number(),
		SuggestionsMinimumDistance: 2,
		SilenceErrors:              true,
		SilenceUsage:               true,
		Args:                       unknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError("%w; see `%s --help`", err, cmd.CommandPath())
	})
	root.AddCommand(newRun(), newConfigcheck(), newConfig(), newStatus(), newDoctor(), newIntake(), newLogs(), newTrace(), newProbe(), newMicrovm(), newVersion())
	return root
}

// strict makes cobra's own verbs refuse what they do not know: they print their
// help and succeed.
func strict(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.Args = func(_ *cobra.Command, args []string) error {
				topic, rest, err := root.Find(args)
				if err != nil {
					topic, rest = root, args
				}
				return unknownCommand(topic, rest)
			}
		case "completion":
			cmd.Args = unknownCommand
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
}

// unknownCommand refuses what is no verb, and says what may be meant.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usageError("unknown command %q%s (`%s --help` lists them)", args[0], hint, cmd.CommandPath())
}

// argsBetween is a rule on the number of arguments, with an error that shows the usage line.
func argsBetween(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return usageError("an argument is missing; usage: %s", cmd.UseLine())
		case len(args) > most:
			return usageError("unexpected argument %q; usage: %s", args[most], cmd.UseLine())
		}
		return nil
	}
}
