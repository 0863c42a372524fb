package main

import (
	"context"
	"errors"
	"fmt"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/comp/log"
	"github.com/vigil-agent/vigil/comp/version"
	"github.com/vigil-agent/vigil/logs"
	"github.com/vigil-agent/vigil/logs/quarantine"
)

func newLogs() *cobra.Command {
	cmd := &cobra.Command{
		Use:                        "logs",
		Short:                      "Work with what the logs engine keeps on disk",
		Example:                    "  vigil logs replay",
		SuggestionsMinimumDistance: 2,
		Args:                       unknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newLogsReplay())
	return cmd
}

func newLogsReplay() *cobra.Command {
	var flags configFlags
	var asJSON bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "replay [FILE]",
		Short: "Deliver the log lines that are in quarantine",
		Long: `Deliver the lines that no receiving side took (they are in quarantine/lines.ndjson of run_path) to
logs.endpoint once more. Delivered lines leave the file; those that are refused again are put back. The
agent may run meanwhile. What is not acknowledged in time stays on disk for the next replay.

Exit codes: 0 everything is delivered, 1 something is not, 2 wrong usage, 78 wrong configuration.`,
		Example: "  vigil logs replay\n  vigil logs replay --json -c vigil.yaml /var/lib/vigil/quarantine/lines.ndjson",
		Args:    argsBetween(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if timeout <= 0 {
				return usageError("--timeout must be more than 0, not %v", timeout)
			}
			loaded, err := flags.load(nil)
			if err != nil {
				return err
			}
			warn(cmd, loaded)
			c := loaded.Config
			if c.Logs.Endpoint.Address == "" {
				return usageError("there is no endpoint to deliver to: set logs.endpoint.address, or name the configuration with -c")
			}
			path := filepath.Join(logs.QuarantineDir(c.Logs.RunPath), quarantine.FileName)
			if len(args) > 0 {
				path = args[0]
			}
			logger, err := log.New(log.Config{Level: c.LogLevel, Format: c.LogFormat, Output: cmd.ErrOrStderr()})
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGINT, unix.SIGTERM)
			defer stop()
			ctx, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			done, failed := logs.Replay(ctx, c.Logs, path, logs.Deps{Log: logger, Version: version.Number()})
			return errors.Join(printReplayed(cmd, done, asJSON), replayExit(done, failed))
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long the receiving side may take")
	return cmd
}

func printReplayed(cmd *cobra.Command, done logs.Replayed, asJSON bool) error {
	if asJSON {
		if done.Kept == nil {
			done.Kept = []string{}
		}
		return printJSON(cmd, done)
	}
	text := fmt.Sprintf("%d lines delivered", done.Delivered)
	if done.Refused > 0 {
		text += fmt.Sprintf(", %d refused again", done.Refused)
	}
	if done.Unreadable > 0 {
		text += fmt.Sprintf(", %d unreadable", done.Unreadable)
	}
	if len(done.Kept) > 0 {
		text += "; what is left is in " + strings.Join(done.Kept, " and ")
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), text)
	return err
}

// replayExit is the outcome: everything delivered or not.
func replayExit(done logs.Replayed, err error) error {
	if err == nil && len(done.Kept) > 0 {
		return &exitError{code: exitFailed}
	}
	return err
}
