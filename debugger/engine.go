package debugger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/debugger/calibrate"
	"github.com/vigil-agent/vigil/debugger/control"
	"github.com/vigil-agent/vigil/debugger/probe"
	"github.com/vigil-agent/vigil/debugger/sink"
	"github.com/vigil-agent/vigil/debugger/snapshot"
	"github.com/vigil-agent/vigil/debugger/target"
)

// Deps are what an Engine is connected to.
type Deps struct {
	Log *slog.Logger
	// Stdout receives the snapshots of output type stdout.
	Stdout io.Writer
	// Hostname is named in snapshots; empty leaves it out.
	Hostname string
	// Version is the agent's, for the log.
	Version string
}

// Engine places the configured probes in the processes that match and writes
// their snapshots.
type Engine struct {
	cfg  Config
	deps Deps

	follower *target.Follower
	sink     *sink.NDJSON

	mu          sync.Mutex // guards everything declared below it
	definitions []probe.Definition
	broken      []ProbeStatus // of definitions in files that are wrong
	manager     *control.Manager
	started     bool
	stopped     bool
}

// New makes an engine; it touches neither files nor the kernel. The error is
// that of Config.Validate.
func New(cfg Config, deps Deps) (*Engine, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	e := &Engine{cfg: cfg, deps: deps}
	var err error
	if e.definitions, err = cfg.inline(); err != nil {
		return nil, err
	}
	if e.follower, err = target.NewFollower(cfg.selectors(), 0, deps.Log); err != nil {
		return nil, err
	}
	e.sink, err = sink.New(sink.Config{Path: cfg.Output.Path}, sink.Deps{Log: deps.Log, Writer: deps.Stdout})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Start reads the probe files and begins to look for processes. It fails with
// an error that matches ErrNotSupported when probes cannot work here at all,
// and when the output cannot be opened; nothing is left running then. Starting
// again does nothing.
func (e *Engine) Start(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case e.stopped:
		return errStopped
	case e.started:
		return nil
	}
	if err := bpf.Supported(); err != nil {
		return err
	}
	if err := e.sink.Start(ctx); err != nil {
		return err
	}
	if err := e.follower.Start(ctx); err != nil {
		return errors.Join(err, e.sink.Stop(ctx))
	}
	e.readFiles()
	manager := control.NewManager(control.Config{
		Definitions: e.definitions,
		Explicit:    e.explicit(),
		Host:        e.deps.Hostname,
		Hide:        snapshot.Redaction(e.cfg.Redaction),
	}, control.Deps{
		Log:     e.deps.Log,
		Changes: e.follower.Changes(),
		Deliver: e.deliver(),
		Costs:   calibrate.Costs,
	})
	if err := manager.Start(ctx); err != nil {
		return errors.Join(err, e.follower.Stop(ctx), e.sink.Stop(ctx))
	}
	e.manager, e.started = manager, true
	e.deps.Log.Info("debugger started", "version", e.deps.Version, "probes", len(e.definitions), "targets", len(e.cfg.Targets))
	return nil
}

// explicit are the pids of the targets.
func (e *Engine) explicit() []int {
	var pids []int
	for _, t := range e.cfg.Targets {
		if t.PID != 0 {
			pids = append(pids, t.PID)
		}
	}
	return pids
}

// buffers are reused between snapshots: each binary has a goroutine that
// delivers.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// deliver writes a snapshot to the output.
func (e *Engine) deliver() func(*control.Installed, *snapshot.Snapshot) int {
	return func(_ *control.Installed, s *snapshot.Snapshot) int {
		buf := buffers.Get().(*[]byte)
		defer buffers.Put(buf)
		*buf = s.AppendJSON((*buf)[:0])
		if !e.sink.Put(*buf) {
			return -1
		}
		return len(*buf)
	}
}

// Stop removes all probes, writes the snapshots that were taken, and waits for
// all of it within ctx. It is safe without Start and to call again.
func (e *Engine) Stop(ctx context.Context) error {
	e.mu.Lock()
	e.stopped = true
	started, manager := e.started, e.manager
	e.mu.Unlock()
	if !started {
		return nil
	}
	// The order is that of the data: processes, probes, output.
	if err := errors.Join(e.follower.Stop(ctx), manager.Stop(ctx), e.sink.Stop(ctx)); err != nil {
		return fmt.Errorf("stop the debugger: %w", err)
	}
	return nil
}
