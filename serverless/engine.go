package serverless

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/vigil-agent/vigil/serverless/child"
	"github.com/vigil-agent/vigil/serverless/clock"
	"github.com/vigil-agent/vigil/serverless/forward"
	"github.com/vigil-agent/vigil/serverless/heartbeat"
	"github.com/vigil-agent/vigil/serverless/identity"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
	"github.com/vigil-agent/vigil/serverless/microvm"
	"github.com/vigil-agent/vigil/serverless/usage"
)

// ErrPortTaken says that another process listens on the lifecycle address.
var ErrPortTaken = lifecycle.ErrPortTaken

// Engine is the assembled engine.
type Engine struct {
	cfg      Config
	log      *slog.Logger
	image    microvm.Identity
	book     *identity.Book
	identity *identity.Server // nil when the identity is not served
	beat     *heartbeat.Beat
	usage    *usage.Collector
	server   *lifecycle.Server
	app      *child.Child // nil without a command
}

// New assembles the engine; it does no I/O. A setting that cannot be used is
// replaced by its default with a warning. The error is about deps or the
// command.
func New(cfg Config, deps Deps) (*Engine, error) {
	if err := deps.check(); err != nil {
		return nil, err
	}
	deps = deps.withDefaults()
	cfg, notes := cfg.normalised()
	if cfg.Enabled {
		for _, note := range notes {
			deps.Log.Warn("setting replaced by a usable one", "component", "serverless", "why", note)
		}
	}
	e := &Engine{cfg: cfg, log: deps.Log.With("component", "serverless"), image: microvm.FromEnv(deps.Getenv)}
	e.book = identity.NewBook(e.image.ImageARN, e.image.ImageVersion)
	if cfg.IdentityAddress != "" {
		e.identity = identity.NewServer(cfg.IdentityAddress, e.book, deps.Log)
	}
	if err := e.addChild(deps); err != nil {
		return nil, err
	}
	e.addHeartbeat(deps)
	e.addUsage(deps)
	e.addServer(deps)
	return e, nil
}

func (e *Engine) addChild(deps Deps) error {
	if len(e.cfg.Command) == 0 {
		return nil
	}
	app, err := child.New(e.cfg.Command, child.Deps{
		Log: deps.Log, Stdout: deps.Stdout, Stderr: deps.Stderr, TeeStdout: deps.TeeStdout, TeeStderr: deps.TeeStderr,
	})
	e.app = app
	return err
}

func (e *Engine) addHeartbeat(deps Deps) {
	tags := e.image.UsageTags()
	if arn := e.image.ARNTag(); arn != "" {
		tags = append(tags, arn)
	}
	kind, metrics := heartbeat.Gauge, deps.Usage
	if e.cfg.HeartbeatKind == HeartbeatDistribution {
		kind, metrics = heartbeat.Distribution, deps.Metrics
	}
	collaborators := heartbeat.Deps{Log: deps.Log}
	if metrics != nil {
		collaborators.Metrics = metrics
	}
	if deps.Usage != nil {
		collaborators.Seconds = deps.Usage
	}
	info, _ := debug.ReadBuildInfo()
	e.beat = heartbeat.New(heartbeat.Config{
		Interval:  e.cfg.HeartbeatInterval,
		Jitter:    heartbeat.DefaultJitter,
		Kind:      kind,
		Tags:      tags,
		NotBefore: built(info, time.Now()),
	}, collaborators)
}

func (e *Engine) addUsage(deps Deps) {
	collaborators := usage.Deps{
		CPU: deps.CPU, Log: deps.Log,
		OnFreeze: func(change clock.Change) {
			e.log.Info("the machine stood still, or its clock was stepped", "gap", change.Gap)
			e.server.FreezeNoticed()
		},
	}
	if deps.Usage != nil {
		collaborators.Usage = deps.Usage
	}
	if deps.Metrics != nil {
		collaborators.Enhanced = deps.Metrics
	}
	e.usage = usage.New(usage.Config{Tags: e.image.UsageTags()}, collaborators)
}

func (e *Engine) addServer(deps Deps) {
	var app *forward.Client
	if e.cfg.UserAppPort != 0 {
		app = forward.New(e.cfg.UserAppPort)
	}
	var events lifecycle.Events
	if deps.Metrics != nil {
		events = deps.Metrics
	}
	f := e.cfg.Forward
	e.server = lifecycle.New(lifecycle.Config{
		Address:         e.cfg.LifecycleAddress,
		Budget:          e.cfg.HookBudget,
		ForwardTimeout:  e.cfg.ForwardTimeout,
		ReadyTimeout:    e.cfg.ReadyTimeout,
		ValidateTimeout: e.cfg.ValidateTimeout,
		Forward: lifecycle.HookSet{
			lifecycle.Ready: f.Ready, lifecycle.Validate: f.Validate, lifecycle.Run: f.Run,
			lifecycle.Resume: f.Resume, lifecycle.Suspend: f.Suspend, lifecycle.Terminate: f.Terminate,
		},
		EventTags: e.image.UsageTags(),
	}, lifecycle.Deps{
		Log:        deps.Log,
		Beat:       e.beat,
		Events:     events,
		Drainers:   e.drainers(deps),
		Flushers:   deps.Flushers,
		OnIdentity: e.identified(deps.OnIdentity),
		OnRestore:  e.restored,
		Hygiene:    e.hygiene(deps.Hygiene),
		SignalRun:  e.signalRun(),
		Alive:      e.app.Alive,
		App:        app,
	})
}

// drainers begins with the application's output, if somebody gets a copy of it.
func (e *Engine) drainers(deps Deps) []lifecycle.Drainer {
	if e.app == nil || deps.TeeStdout == nil && deps.TeeStderr == nil {
		return deps.Drainers
	}
	return append([]lifecycle.Drainer{appOutput{e.app}}, deps.Drainers...)
}

// appOutput is the application's output on its way to the tees.
type appOutput struct{ *child.Child }

// Name implements lifecycle.Drainer.
func (appOutput) Name() string { return "output of the application" }

// signalRun is nil when no signal is to be sent.
func (e *Engine) signalRun() func() error {
	if !e.cfg.SendRunSignal {
		return nil
	}
	return func() error { return e.app.Signal(syscall.SIGUSR2) }
}

// Start binds the lifecycle address and then spawns the application, so that no
// hook can come too early. It returns once both are done; a second call does
// nothing. When the application cannot be spawned the server is stopped again.
func (e *Engine) Start(ctx context.Context) error {
	if !e.cfg.Enabled {
		return nil
	}
	if err := e.server.Start(ctx); err != nil {
		return err
	}
	e.log.Info("answering lifecycle hooks", "address", e.server.Addr().String(), "image_arn", e.image.ImageARN)
	if e.identity != nil {
		if err := e.identity.Start(ctx); err != nil {
			e.log.Warn("the identity of the machine is not served", "err", err)
		}
	}
	e.usage.Start()
	if e.app == nil {
		e.log.Warn("no command to supervise: the ready hook is answered with 503 unless it is forwarded to the application")
		return nil
	}
	if err := e.app.Start(ctx); err != nil {
		return errors.Join(err, e.Stop(ctx))
	}
	return nil
}

// Stop stops the heartbeat, then lets hooks in progress end while the
// application is asked to end; what has not ended with ctx is cut. It is safe
// without Start and more than once.
func (e *Engine) Stop(ctx context.Context) error {
	var beatErr, usageErr, serverErr, identityErr, appErr error
	var wg sync.WaitGroup
	wg.Go(func() { usageErr = e.stopUsage(ctx) })
	beatErr = e.beat.Close(ctx)
	wg.Go(func() { serverErr = e.server.Stop(ctx) })
	wg.Go(func() { appErr = e.app.Stop(ctx) })
	if e.identity != nil {
		wg.Go(func() { identityErr = e.identity.Stop(ctx) })
	}
	wg.Wait()
	return errors.Join(beatErr, usageErr, serverErr, identityErr, appErr)
}

// stopUsage does not give a stuck metrics client more time than the heartbeat
// does.
func (e *Engine) stopUsage(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, heartbeat.StopTimeout)
	defer cancel()
	return e.usage.Stop(ctx)
}

// Done is closed when the application has ended; nil, which blocks for ever,
// when there is none.
func (e *Engine) Done() <-chan struct{} { return e.app.Done() }

// ExitCode is the code to end the agent with: the application's own, or 128 plus
// the signal that killed it. It is 0 without a command and -1 while the
// application runs.
func (e *Engine) ExitCode() int {
	if e.app == nil {
		return 0
	}
	return e.app.ExitCode()
}

// Addr is the bound address, nil before Start.
func (e *Engine) Addr() net.Addr { return e.server.Addr() }
