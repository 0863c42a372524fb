package child_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/serverless/child"
)

// supervisorEnv makes the test binary a supervisor process, so that real signals
// can be sent to one without reaching the test.
const supervisorEnv = "VIGIL_TEST_SUPERVISE"

func TestMain(m *testing.M) {
	if script := os.Getenv(supervisorEnv); script != "" {
		os.Exit(supervise(script))
	}
	goleak.VerifyTestMain(m)
}

// supervise runs a shell script as the child and propagates its exit code. With
// VIGIL_TEST_STOP_AFTER it calls Stop that long after the start.
func supervise(script string) int {
	c, err := child.New([]string{"sh", "-c", script}, child.Deps{Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err == nil {
		err = c.Start(context.Background())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if after, err := time.ParseDuration(os.Getenv("VIGIL_TEST_STOP_AFTER")); err == nil {
		time.Sleep(after)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := c.Stop(ctx); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	return c.Wait()
}
