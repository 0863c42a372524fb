package main

import (
	"path/filepath"

	"github.com/spf13/cobra"
)

func buildVerb(r *repo) *cobra.Command {
	var arch, output, version string
	cmd := &cobra.Command{
		Use:     "build",
		Short:   "Build the stripped, static vigil binary",
		Example: "  go run ./tasks build\n  go run ./tasks build --arch arm64 --output bin/vigil-arm64",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ldflags := "-s -w"
			if version != "" {
				ldflags += " -X " + modulePrefix + "comp/version.number=" + version
			}
			env := []string{"CGO_ENABLED=0"}
			if arch != "" {
				env = append(env, "GOOS=linux", "GOARCH="+arch)
			}
			return r.run(cmd.Context(), command{env: env, name: "go", args: []string{
				"build", "-trimpath", "-ldflags", ldflags, "-o", filepath.FromSlash(output), "./comp/cmd/vigil",
			}})
		},
	}
	cmd.Flags().StringVar(&arch, "arch", "", "target architecture: amd64 or arm64 (default: this machine's)")
	cmd.Flags().StringVar(&output, "output", "bin/vigil", "file to write")
	cmd.Flags().StringVar(&version, "version", "", "version to record (default: the development version)")
	return cmd
}
