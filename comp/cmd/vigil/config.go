package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vigil-agent/vigil/comp/config"
)

func newConfig() *cobra.Command {
	var flags configFlags
	var asJSON, sources bool
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print the effective configuration, secrets hidden",
		Long: `Print the configuration that run would use: flags over environment over conf.d over file over
defaults. The output is itself a configuration file; secrets are hidden.`,
		Example: "  vigil config\n  vigil config --sources -c vigil.yaml      # where each value comes from\n  vigil config explain logs.batch.max_wait",
		Args:    argsBetween(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := flags.load(nil)
			if err != nil {
				return err
			}
			warn(cmd, loaded)
			switch {
			case asJSON:
				return printJSON(cmd, loaded)
			case sources:
				return loaded.Dump(cmd.OutOrStdout(), config.DumpSources)
			default:
				return loaded.Dump(cmd.OutOrStdout(), config.DumpYAML)
			}
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with the origin of each value")
	cmd.Flags().BoolVar(&sources, "sources", false, "say behind each value where it comes from")
	cmd.AddCommand(newExplain())
	return cmd
}

func newExplain() *cobra.Command {
	var flags configFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "explain KEY",
		Short:   "Say what a setting means, what it may be, and which layers set it",
		Example: "  vigil config explain serverless.heartbeat_interval\n  DD_TAGS=env:dev vigil config explain tags --json",
		Args:    argsBetween(1, 1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return config.Keys(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			explanation, err := explain(&flags, args[0])
			if _, ok := errors.AsType[*config.UnknownKeyError](err); ok {
				return &exitError{code: exitUsage, err: err}
			}
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd, explanation)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), explanation)
			return err
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// explain explains a key with its values. A key is looked up before the files
// are read: a typo in the key is better news than one in a file.
func explain(flags *configFlags, key string) (config.Explanation, error) {
	if _, err := config.Describe(key); err != nil {
		return config.Explanation{}, err
	}
	loaded, err := flags.load(nil)
	if err != nil {
		return config.Explanation{}, err
	}
	return loaded.Explain(key)
}
