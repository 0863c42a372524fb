package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/vigil-agent/vigil/serverless/microvm"
)

func newMicrovm() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "microvm",
		Short: "Say which MicroVM image this is; simulate the platform against an image",
		Long: `Without a verb, print what the environment says about the MicroVM image this process runs in.
No configuration and no agent are needed.`,
		Example: "  vigil microvm\n  vigil microvm simulate -- /app/entrypoint.sh",
		Args:    unknownMicrovmVerb,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return printIdentity(cmd, microvm.FromEnv(os.LookupEnv), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(newSimulate())
	return cmd
}

func unknownMicrovmVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usageError("unknown verb %q; `vigil microvm --help` lists them", args[0])
}

func printIdentity(cmd *cobra.Command, id microvm.Identity, asJSON bool) error {
	if asJSON {
		return printJSON(cmd, struct {
			Present      bool     `json:"present"`
			ImageARN     string   `json:"image_arn"`
			ImageVersion string   `json:"image_version"`
			Region       string   `json:"region"`
			Account      string   `json:"account"`
			Image        string   `json:"image"`
			Tags         []string `json:"tags"`
		}{id.Present, id.ImageARN, id.ImageVersion, id.Image.Region, id.Image.Account, id.Image.Image, id.UsageTags()})
	}
	out := cmd.OutOrStdout()
	if !id.Present {
		fmt.Fprintf(out, "not inside a MicroVM: %s is not set\n", microvm.EnvImageARN)
		return nil
	}
	fmt.Fprintf(out, "image    %s\nversion  %s\n", id.ImageARN, id.ImageVersion)
	if id.Image == (microvm.ARN{}) {
		fmt.Fprintln(out, "the ARN is not of the form arn:aws:lambda:<region>:<account>:microvm-image:<name>, so metrics carry `unknown` for its parts")
	}
	return nil
}
