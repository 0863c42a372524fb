package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"github.com/spf13/cobra"
)

func doctorVerb(r *repo) *cobra.Command {
	return &cobra.Command{
		Use:     "doctor",
		Short:   "Say whether this machine can build, test and regenerate everything",
		Example: "  go run ./tasks doctor",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			missing := 0
			for _, n := range r.needs(cmd.Context()) {
				mark := "✓"
				if n.problem != "" {
					mark = "✗"
					if n.required {
						missing++
					}
				}
				fmt.Printf("%s %s (%s)\n", mark, n.what, n.use)
				if n.problem != "" {
					fmt.Printf("    %s\n    fix: %s\n", n.problem, n.fix)
				}
			}
			if missing > 0 {
				return errors.New("something that every build needs is missing")
			}
			return nil
		},
	}
}

// need is one thing a machine must have for some of the work.
type need struct {
	what, use    string
	problem, fix string
	// required is false where only part of the work needs it.
	required bool
}

func (r *repo) needs(ctx context.Context) []need {
	goVersion, err := r.output(ctx, command{name: "go", args: []string{"env", "GOVERSION"}})
	goNeed := need{what: "Go " + strings.TrimSpace(goVersion), use: "everything", required: true}
	if err != nil || !strings.HasPrefix(goVersion, "go1.26") {
		goNeed.problem, goNeed.fix = "the workspace is built with Go 1.26", "install Go 1.26 from go.dev/dl"
	}
	needs := []need{goNeed, program("git", "check", "apt-get install git", true)}
	needs = append(needs,
		program("gcc", "the race detector", "apt-get install gcc libc6-dev", false),
		program("clang", "gen: the BPF objects", "apt-get install clang llvm libbpf-dev", false))
	root := need{what: "root on Linux", use: "kernel tests, the debugger in make run"}
	if runtime.GOOS != "linux" || os.Geteuid() != 0 {
		root.problem, root.fix = "not root: kernel tests skip", "sudo make test"
	}
	return append(needs, root)
}

func program(name, use, fix string, required bool) need {
	n := need{what: name, use: use, required: required}
	if _, err := exec.LookPath(name); err != nil {
		n.problem, n.fix = "not installed", fix
	}
	return n
}
