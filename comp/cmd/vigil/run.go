package main

import (
	"context"
	"encoding/json"
	"errors"
	"os/signal"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/comp/agent"
)

func newRun() *cobra.Command {
	var flags configFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "run [--config FILE] [-- CMD ARGS...]",
		Short: "Run the agent; what follows -- is the application to supervise",
		Long: `Run the engines that the configuration switches on, until SIGINT or SIGTERM.

A wrong configuration ends it before anything starts (exit code 78). An engine that this machine
cannot carry is degraded: the others run, and the reason and the fix are in ` + "`vigil status`" + `, on
/ready and in one log line. With an application to supervise, its exit code is passed on: 128 plus the
number of a signal that killed it, 127 when there is no such program, 126 when it cannot be executed.`,
		Example: "  vigil run --config vigil.yaml\n  vigil run --set logs.enabled=true --set intake.enabled=true -c vigil.yaml\n  vigil run -- /app/server --port 8080",
		RunE: func(cmd *cobra.Command, args []string) error {
			extra, err := runOverrides(cmd, args, asJSON)
			if err != nil {
				return err
			}
			loaded, err := flags.load(extra)
			if err != nil {
				return err
			}
			warn(cmd, loaded)
			if len(args) > 0 && !loaded.Config.Serverless.Enabled {
				return &exitError{code: exitBadConfig, err: errNotSupervised}
			}
			a, err := agent.New(loaded, cmd.ErrOrStderr())
			if errors.Is(err, agent.ErrNothingEnabled) {
				return &exitError{code: exitBadConfig, err: err}
			}
			if err != nil {
				return err
			}
			return runAgent(cmd.Context(), a)
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the agent's log as JSON (the same as --set log_format=json)")
	return cmd
}

// errNotSupervised says that the application would not be started.
var errNotSupervised = errors.New("the application after -- is started by the serverless engine, which is off: set serverless.enabled to true (inside a MicroVM it is by default)")

// runOverrides are the settings that run's own arguments stand for.
func runOverrides(cmd *cobra.Command, args []string, asJSON bool) (map[string]string, error) {
	extra := map[string]string{}
	if asJSON {
		extra["log_format"] = "json"
	}
	if len(args) == 0 {
		return extra, nil
	}
	if cmd.ArgsLenAtDash() != 0 {
		return nil, usageError("unexpected argument %q; the command to supervise comes after --, as in `vigil run -- %s`", args[0], args[0])
	}
	command, err := json.Marshal(args)
	if err != nil {
		return nil, usageError("encode the command to supervise: %w", err)
	}
	extra["serverless.command"] = string(command)
	return extra, nil
}

// runAgent runs until a signal or until the supervised application ends. A
// second signal ends a process without an application at once.
func runAgent(ctx context.Context, a *agent.Agent) error {
	ctx, stop := signal.NotifyContext(ctx, unix.SIGINT, unix.SIGTERM)
	defer stop()
	if err := a.Start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // told to end before it was up; what had started is stopped
		}
		return ended(a, err)
	}
	select {
	case <-ctx.Done():
		stop()
		return ended(a, a.Stop(context.WithoutCancel(ctx)))
	case <-a.Child():
		return ended(a, a.Stop(ctx))
	}
}

// ended passes the application's exit code on, whoever ended it.
func ended(a *agent.Agent, err error) error {
	if code := a.ExitCode(); code > 0 {
		return &exitError{code: code, err: err}
	}
	return err
}
