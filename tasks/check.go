package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// check is one rule of the house. It returns what breaks the rule, a line each.
type check struct {
	name string
	what string
	run  func(context.Context, *repo) ([]string, error)
}

var checks = []check{
	{"directive", "one go directive in every module", checkDirective},
	{"siblings", "modules require each other at v0.0.0 with a replace", checkSiblings},
	{"ceiling", "no file over 800 lines", checkCeiling},
	{"layering", "imports point one way", checkLayering},
	{"tidy", "go.mod and go.sum are tidy", checkTidy},
	{"alone", "every module builds with GOWORK=off", checkAlone},
	{"generated", "generated files are what their source says", checkGenerated},
}

func checkVerb(r *repo) *cobra.Command {
	var without []string
	names := make([]string, len(checks))
	for i, c := range checks {
		names[i] = c.name
	}
	cmd := &cobra.Command{
		Use:       "check [NAME...]",
		Short:     "Hold the rules of the house: " + strings.Join(names, ", "),
		Example:   "  go run ./tasks check\n  go run ./tasks check layering ceiling\n  go run ./tasks check --without generated",
		ValidArgs: names,
		Args:      cobra.OnlyValidArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			failed := 0
			for _, c := range checks {
				if (len(args) > 0 && !slices.Contains(args, c.name)) || slices.Contains(without, c.name) {
					continue
				}
				broken, err := c.run(cmd.Context(), r)
				if err != nil {
					broken = append(broken, err.Error())
				}
				if len(broken) == 0 {
					fmt.Printf("✓ %s: %s\n", c.name, c.what)
					continue
				}
				failed++
				fmt.Printf("✗ %s: %s\n", c.name, c.what)
				for _, line := range broken {
					fmt.Println("   ", strings.ReplaceAll(strings.TrimSpace(line), "\n", "\n    "))
				}
			}
			if failed > 0 {
				return errors.New("the house is not in order")
			}
			return nil
		},
	}
	cmd.Flags().StringSliceVar(&without, "without", nil, "checks to leave out")
	return cmd
}
