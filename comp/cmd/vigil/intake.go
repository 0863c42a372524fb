package main

import (
	"context"
	"log/slog"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/comp/log"
	"github.com/vigil-agent/vigil/logs/intake"
)

// intakeStopTimeout is what stopping may take beyond intake.drain_timeout.
const intakeStopTimeout = 2 * time.Second

func newIntake() *cobra.Command {
	var flags configFlags
	var listen, journal string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "intake",
		Short: "Run the receiving side of the logs engine alone",
		Long: `Receive, validate and journal log streams: one JSON object a line, on disk before it is
acknowledged. The journal is standard output unless a file is named.`,
		Example: "  vigil intake --listen 127.0.0.1:9092 --journal logs.ndjson\n  vigil intake | jq -r .message",
		Args:    argsBetween(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			extra := map[string]string{"intake.enabled": "true"}
			if cmd.Flags().Changed("listen") {
				extra["intake.listen"] = listen
			}
			if cmd.Flags().Changed("journal") {
				extra["intake.journal"] = journal
			}
			if asJSON {
				extra["log_format"] = "json"
			}
			loaded, err := flags.load(extra)
			if err != nil {
				return err
			}
			warn(cmd, loaded)
			c := loaded.Config
			logger, err := log.New(log.Config{Level: c.LogLevel, Format: c.LogFormat, Output: cmd.ErrOrStderr()})
			if err != nil {
				return err
			}
			return runIntake(cmd.Context(), c.Intake, logger.With("component", "intake"))
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&listen, "listen", intake.DefaultListen, "host:port to receive on")
	cmd.Flags().StringVar(&journal, "journal", "", "NDJSON file to append to (default: standard output)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "write the log as JSON; the journal always is")
	return cmd
}

func runIntake(ctx context.Context, c intake.Config, logger *slog.Logger) error {
	ctx, stop := signal.NotifyContext(ctx, unix.SIGINT, unix.SIGTERM)
	defer stop()
	server, err := intake.New(c, intake.Deps{Log: logger})
	if err != nil {
		return err
	}
	if err := server.Start(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	stop()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.DrainTimeout+intakeStopTimeout)
	defer cancel()
	err = server.Stop(ctx)
	s := server.Stats()
	logger.Info("intake has stopped", "lines", s.Lines, "batches", s.Batches, "repeated", s.Repeated)
	return err
}
