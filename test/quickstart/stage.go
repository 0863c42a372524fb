package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/test/harness"
)

// The instance whose life is simulated.
const (
	microVM  = "mvm-quickstart"
	imageARN = "arn:aws:lambda:eu-west-1:123456789012:microvm-image:shop"
)

// hookURL is the platform's call that starts an instance's running phase.
const hookURL = "http://%s/aws/lambda-microvms/runtime/v1/run"

// probedFunction is the function of the service that snapshots are taken of.
const probedFunction = "main.(*shop).checkout"

// stage is everything on disk and on the network that the play needs.
type stage struct {
	options   options
	dir       string
	temporary bool
	shop      string // the service's binary
	hooks     string // host:port of the hook server
	statsd    *net.UDPConn
}

// path is a file of the stage.
func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

func newStage(ctx context.Context, o options) (_ *stage, err error) {
	if _, err := os.Stat(o.agent); err != nil {
		return nil, fmt.Errorf("find the agent: %w; build it with `make build`", err)
	}
	s := &stage{options: o, dir: o.dir, temporary: o.dir == ""}
	if s.temporary {
		s.dir, err = os.MkdirTemp("", "vigil-quickstart-")
	} else {
		s.dir, err = filepath.Abs(o.dir)
		err = errors.Join(err, os.MkdirAll(s.dir, 0o755))
	}
	if err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	s.shop = s.path("shop")
	if err := harness.Build(ctx, harness.Shop, s.shop); err != nil {
		return nil, err
	}
	if s.statsd, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}); err != nil {
		return nil, fmt.Errorf("listen for metrics: %w", err)
	}
	ports, err := harness.FreePorts(2)
	if err != nil {
		return nil, err
	}
	s.hooks = ports[0]
	return s, os.WriteFile(s.path("vigil.yaml"), []byte(s.config(ports[1])), 0o600)
}

// config is the whole configuration of the agent.
func (s *stage) config(intake string) string {
	return strings.NewReplacer(
		"DIR", s.dir, "HOOKS", s.hooks, "STATSD", s.statsd.LocalAddr().String(),
		"INTAKE", intake, "SHOP", s.shop, "FUNCTION", probedFunction,
	).Replace(`run_path: DIR/state
api: {socket: DIR/vigil.sock}
tags: [env:quickstart]
metrics: {statsd_address: "STATSD"}
serverless:
  enabled: true
  lifecycle_address: "HOOKS"
  heartbeat_interval: 10s
logs:
  enabled: true
  sources:
    - {type: file, path: DIR/shop.log, start_at: beginning, service: shop, source: go}
  batch: {max_wait: 1s}
intake:
  enabled: true
  listen: "INTAKE"
  journal: DIR/journal.ndjson
debugger:
  enabled: true
  targets:
    - {exe: SHOP, service: shop}
  probes:
    - {id: checkout, version: 1, type: LOG_PROBE, language: go, captureSnapshot: true, where: {methodName: "FUNCTION"}}
  output: {type: file, path: DIR/snapshots.ndjson}
`)
}

// runHook plays the platform: it says that the instance has started. The agent
// may need a moment to bind.
func (s *stage) runHook(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf(hookURL, s.hooks), strings.NewReader(`{"microvmId":"`+microVM+`"}`))
		if err != nil {
			return fmt.Errorf("build the run hook: %w", err)
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
			if response.StatusCode != http.StatusOK {
				return fmt.Errorf("the run hook was answered with %s", response.Status)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the agent did not answer the run hook: %w; see %s", err, s.path("agent.log"))
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *stage) close() error {
	var errs []error
	if s.statsd != nil {
		errs = append(errs, s.statsd.Close())
	}
	if s.temporary {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}
