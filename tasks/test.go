package main

import (
	"os/exec"

	"github.com/spf13/cobra"
)

func testVerb(r *repo) *cobra.Command {
	var alone, short bool
	cmd := &cobra.Command{
		Use:   "test [MODULE...]",
		Short: "Run the tests under the race detector",
		Long: "Run the tests under the race detector: the whole workspace, or the named modules.\n\n" +
			"Kernel tests need root and skip without it; VIGIL_REQUIRE_BPF=1 turns such a skip into a failure.",
		Example: "  go run ./tasks test\n  go run ./tasks test logs --alone",
		RunE: func(cmd *cobra.Command, args []string) error {
			modules, err := r.pick(args)
			if err != nil {
				return err
			}
			flags := []string{"test", "-timeout", "15m"}
			var env []string
			// The race detector is cgo: on a machine without a C compiler the
			// tests still run, without it.
			if _, err := exec.LookPath("gcc"); err == nil {
				flags = append(flags, "-race")
				env = append(env, "CGO_ENABLED=1")
			} else {
				cmd.PrintErrln("no gcc: the tests run without the race detector")
			}
			if short {
				flags = append(flags, "-short")
			}
			if len(args) == 0 && !alone {
				return r.run(cmd.Context(), command{env: env, name: "go", args: append(flags, "work")})
			}
			if alone {
				env = append(env, "GOWORK=off")
			}
			for _, m := range modules {
				if err := r.run(cmd.Context(), command{dir: m.dir, env: env, name: "go", args: append(flags, "./...")}); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&alone, "alone", false, "test each module as its own build, with GOWORK=off")
	cmd.Flags().BoolVar(&short, "short", false, "leave out the slow tests")
	return cmd
}
