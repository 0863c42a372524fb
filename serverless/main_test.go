package serverless_test

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/serverless"
)

// collectorPrefix begins the names of the metrics of the usage collector.
const collectorPrefix = "aws.lambda.microvm.enhanced."

// agentEnv makes the test binary an agent process, so that one can be killed.
const agentEnv = "VIGIL_TEST_AGENT"

func TestMain(m *testing.M) {
	if os.Getenv(agentEnv) != "" {
		os.Exit(agent())
	}
	goleak.VerifyTestMain(m)
}

// agent runs the engine with os.Args as its command and prints its address, its
// samples and its events, one line each.
func agent() int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	cfg := serverless.DefaultConfig()
	cfg.IdentityAddress, cfg.HeartbeatInterval = "127.0.0.1:0", serverless.MinHeartbeatInterval
	cfg.Enabled, cfg.LifecycleAddress, cfg.Command = true, os.Getenv(agentEnv), os.Args[1:]
	e, err := serverless.New(cfg, serverless.Deps{Metrics: printer{}, Stdout: os.Stderr})
	if err == nil {
		err = e.Start(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("listening", e.Addr())
	select {
	case <-ctx.Done():
	case <-e.Done():
	}
	if err := e.Stop(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return e.ExitCode()
}

// printer leaves out what comes every few seconds.
type printer struct{}

func (printer) print(kind, name string, value any) error {
	if strings.HasPrefix(name, collectorPrefix) {
		return nil
	}
	_, err := fmt.Println(kind, name, value)
	return err
}

func (p printer) Gauge(name string, value float64, _ []string, _ float64) error {
	return p.print("gauge", name, value)
}

func (p printer) Count(name string, value int64, _ []string, _ float64) error {
	return p.print("count", name, value)
}

func (p printer) Distribution(name string, value float64, _ []string, _ float64) error {
	return p.print("distribution", name, value)
}
