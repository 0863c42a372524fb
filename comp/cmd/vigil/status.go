package main

import (
	"fmt"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/vigil-agent/vigil/comp/api"
)

// statusInterval is how often --watch reads the page.
const statusInterval = 2 * time.Second

func newStatus() *cobra.Command {
	var flags configFlags
	var asJSON, watch bool
	var socket string
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Say how the running agent is: problems first",
		Example: "  vigil status\n  vigil status --watch\n  vigil status --json --socket /run/vigil/vigil.sock",
		Args:    argsBetween(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if socket == "" {
				loaded, err := flags.load(nil)
				if err != nil {
					return err
				}
				socket = loaded.Config.API.Socket
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), unix.SIGINT, unix.SIGTERM)
			defer stop()
			client := api.NewClient(socket)
			path := "/v1/status?format=text"
			if asJSON {
				path = "/v1/status"
			}
			for {
				page, err := client.Get(ctx, path)
				if watch && ctx.Err() != nil {
					return nil // the end that --watch has
				}
				if err != nil {
					return err
				}
				if watch && term.IsTerminal(1) {
					fmt.Fprint(cmd.OutOrStdout(), "\x1b[H\x1b[2J") // home, clear
				}
				if _, err := cmd.OutOrStdout().Write(page); err != nil || !watch {
					return err
				}
				select {
				case <-ctx.Done():
					return nil
				case <-time.After(statusInterval):
				}
			}
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&socket, "socket", "", "socket of the agent (default: api.socket of the configuration)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "print it again every two seconds until interrupted")
	return cmd
}
