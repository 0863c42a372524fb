package main

import (
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vigil-agent/vigil/comp/config"
)

// configFlags are the flags of every verb that reads the configuration.
type configFlags struct {
	file string
	set  []string
}

func (f *configFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.file, "config", "c", "", "configuration file (default: "+config.DefaultFile+")")
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "override one setting, as KEY=VALUE; may be repeated")
	cobra.CheckErr(cmd.RegisterFlagCompletionFunc("set", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		keys := config.Keys()
		for i := range keys {
			keys[i] += "="
		}
		return keys, cobra.ShellCompDirectiveNoSpace
	}))
}

// load reads the configuration; extra are overrides of the verb itself.
func (f *configFlags) load(extra map[string]string) (*config.Loaded, error) {
	flags := map[string]string{}
	for _, assignment := range f.set {
		key, value, ok := strings.Cut(assignment, "=")
		if !ok {
			return nil, usageError("--set %q is not KEY=VALUE", assignment)
		}
		flags[key] = value
	}
	maps.Copy(flags, extra)
	return config.Load(config.Options{File: f.file, Flags: flags, Environ: os.Environ(), LookupHostname: os.Hostname})
}

// warn prints what was noticed but does not stop anything.
func warn(cmd *cobra.Command, loaded *config.Loaded) {
	for _, warning := range loaded.Warnings {
		fmt.Fprintln(cmd.ErrOrStderr(), "vigil: warning: "+strings.ReplaceAll(warning.Error(), "\n", "\n  "))
	}
}
