// Command tasks is the developer automation: one verb per file, plain Go, no
// dependency on the product, so that it works when the product does not build.
// The Makefile is a page of aliases to it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "tasks:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	root := &cobra.Command{
		Use:           "tasks",
		Short:         "Build, test and check the repository",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	verbs := []func(*repo) *cobra.Command{doctorVerb, buildVerb, testVerb, lintVerb, fmtVerb, genVerb, checkVerb, benchVerb, fuzzVerb, graphVerb, affectedVerb}
	r, err := openRepo()
	if err != nil {
		return err
	}
	for _, verb := range verbs {
		root.AddCommand(verb(r))
	}
	root.SetArgs(args)
	return root.ExecuteContext(ctx)
}
