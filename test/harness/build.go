package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
)

// Packages of the programs that are played with.
const (
	Agent = "github.com/vigil-agent/vigil/comp/cmd/vigil"
	Shop  = "github.com/vigil-agent/vigil/test/sample/shop"
	// Quickstart is what `make run` starts.
	Quickstart = "github.com/vigil-agent/vigil/test/quickstart"
)

// Build builds a program as it is shipped: static, and stripped where ldflags
// say so.
func Build(ctx context.Context, pkg, out string, flags ...string) error {
	args := append(append([]string{"build", "-trimpath", "-o", out}, flags...), pkg)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	text, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return fmt.Errorf("build %s: %w", pkg, ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, text)
	}
	return nil
}
