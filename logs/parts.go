package logs

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/vigil-agent/vigil/logs/batch"
	"github.com/vigil-agent/vigil/logs/internal/follow"
	"github.com/vigil-agent/vigil/logs/quarantine"
	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/registry"
	"github.com/vigil-agent/vigil/logs/source"
	"github.com/vigil-agent/vigil/logs/stream"
)

// saveTime is what stopping allows itself for the offsets after its context has
// ended: without them, what was acknowledged would be sent again.
const saveTime = 2 * time.Second

// secondTime is what stopping allows the secondary after the first receiving side
// has everything.
const secondTime = time.Second

// Names below the run path.
const (
	spoolDir      = "spool"
	quarantineDir = "quarantine"
)

// parts are what runs between Start and Stop. Those that are optional are nil.
type parts struct {
	registry   *registry.Registry
	key        *follow.File[string]
	quarantine *quarantine.Writer
	sender     *sender
	shipper    shipper
	spooled    *spooled
	second     *sender
	secondary  *stream.Secondary
	batcher    *batch.Batcher
	files      *source.Files
	outputs    []*source.Output
	leave      bool // clones of this machine begin with what is left behind
}

// assemble makes the parts, connects them and starts each as soon as it exists:
// files to batcher to spool to shipper, and what is durable back to the registry.
// After an error the parts that were started are to be stopped.
func (e *Engine) assemble(ctx context.Context) (p *parts, err error) {
	p = &parts{quarantine: quarantine.NewWriter(QuarantineDir(e.cfg.RunPath), 0)}
	if p.registry, err = registry.New(registry.Config{Dir: e.cfg.RunPath}, registry.Deps{Log: e.log}); err != nil {
		return p, err
	}
	if err := p.registry.Start(ctx); err != nil {
		return p, err
	}
	key := func() string { return e.cfg.APIKey }
	if e.cfg.APIKeyFile != "" {
		if p.key, err = followKey(e.cfg.APIKeyFile, e.log); err != nil {
			return p, err
		}
		p.key.Start()
		key = p.key.Value
	}
	shares := e.cfg.shares()
	if err := e.addShipper(ctx, p, shares, key); err != nil {
		return p, err
	}
	if err := e.addSecondary(ctx, p, shares, key); err != nil {
		return p, err
	}
	bounds := batch.Config{MaxLines: e.cfg.Batch.MaxLines, MaxBytes: shares.batchBytes(e.cfg), MaxWait: e.cfg.Batch.MaxWait}
	if p.batcher, err = batch.New(bounds, p.take); err != nil {
		return p, err
	}
	if err := p.batcher.Start(ctx); err != nil {
		return p, err
	}
	p.files, err = source.New(source.Config{Patterns: e.cfg.patterns()}, source.Deps{Registry: p.registry, Sink: p.batcher.Add, Log: e.log})
	if err != nil {
		return p, err
	}
	if err := p.files.Start(ctx); err != nil {
		return p, err
	}
	for _, o := range e.outputs {
		o.Start(ctx, p.batcher.Add)
	}
	p.outputs = e.outputs
	return p, nil
}

// QuarantineDir is where lines are kept that no receiving side takes.
func QuarantineDir(runPath string) string { return filepath.Join(runPath, quarantineDir) }

// addShipper adds the first way out, with the spool in front of it.
func (e *Engine) addShipper(ctx context.Context, p *parts, s shares, key func() string) error {
	secure, err := tlsConfig("endpoint.tls", e.cfg.Endpoint.TLS)
	if err != nil {
		return err
	}
	p.sender, err = e.newSender(target{
		addresses: append([]string{e.cfg.Endpoint.Address}, e.cfg.Endpoints...),
		profile:   e.cfg.Endpoint.Profile, fallback: e.cfg.Endpoint.Fallback, secure: secure,
		inflight: s.inflight, codec: s.codec,
	}, key)
	if err != nil {
		return err
	}
	deps := &p.sender.deps
	deps.Store = memory{p.registry}
	deps.Quarantine = func(r stream.Rejected) error { return p.quarantine.Put(r.Record, string(r.Reason), r.Err) }
	// One stream, in order: what is durable covers all before it.
	deps.OnDurable = func(_ uint64, origins []record.Origin) { p.registry.CommitThrough(origins...) }
	if e.cfg.Spool.Enabled {
		if p.spooled, err = openSpool(e.cfg, p.registry, e.log); err != nil {
			return err
		}
		p.spooled.resume(ctx)
		p.spooled.number(deps)
	}
	if p.shipper, err = e.newShipper(p.sender.config, *deps); err != nil {
		return err
	}
	if err := p.shipper.Start(ctx); err != nil {
		return err
	}
	if p.spooled != nil {
		p.spooled.start(p.shipper)
	}
	return nil
}

// addSecondary adds the second way out, if there is one.
func (e *Engine) addSecondary(ctx context.Context, p *parts, s shares, key func() string) error {
	c := e.cfg.Secondary
	if c.Address == "" {
		return nil
	}
	secure, err := tlsConfig("secondary.tls", c.TLS)
	if err != nil {
		return err
	}
	p.second, err = e.newSender(target{addresses: []string{c.Address}, profile: c.Profile, secure: secure, inflight: s.secondInflight, codec: s.secondCodec}, key)
	if err != nil {
		return err
	}
	p.second.deps.Log = e.log.With("stream", "secondary")
	if p.secondary, err = stream.NewSecondary(p.second.config, p.second.deps, s.secondQueue); err != nil {
		return fmt.Errorf("secondary: %w", err)
	}
	return p.secondary.Start(ctx)
}

// take is where the batcher hands batches to.
func (p *parts) take(ctx context.Context, lines []record.Record) error {
	p.registry.Begin(lines)
	if p.secondary != nil {
		p.secondary.Offer(lines)
	}
	if p.spooled == nil {
		return p.shipper.Append(ctx, lines)
	}
	return p.spooled.put(ctx, lines, p.quarantine)
}

// flushSent returns when everything handed on is acknowledged.
func (p *parts) flushSent(ctx context.Context) error {
	if p.spooled != nil {
		return p.spooled.flush(ctx)
	}
	return p.shipper.Flush(ctx)
}

// stopReading stops the sources; the batcher has all that they read.
func (p *parts) stopReading(ctx context.Context) error {
	var errs []error
	if p.files != nil {
		errs = append(errs, p.files.Stop(ctx))
	}
	for _, o := range p.outputs {
		errs = append(errs, o.Stop(ctx))
	}
	return errors.Join(errs...)
}

// stop stops the parts from the reading to the saving side. Each may be absent, or
// not started.
func (p *parts) stop(ctx context.Context) error {
	errs := []error{p.stopReading(ctx)}
	if p.batcher != nil {
		errs = append(errs, p.batcher.Stop(ctx))
	}
	if p.secondary != nil {
		// Best effort, as all that the secondary does: its queue must not keep the
		// first one from its time.
		second, giveUp := context.WithCancel(ctx)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = p.secondary.Stop(second)
		}()
		defer func() {
			late := time.AfterFunc(secondTime, giveUp)
			<-done
			late.Stop()
			giveUp()
		}()
	}
	switch {
	case p.spooled != nil:
		errs = append(errs, p.spooled.stop(ctx))
	case p.shipper != nil:
		errs = append(errs, p.shipper.Stop(ctx))
	}
	p.sender.close()
	p.second.close()
	if p.key != nil {
		p.key.Stop(ctx)
	}
	if p.leave {
		errs = append(errs, p.leaveBehind())
	}
	if p.registry != nil {
		saving, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTime)
		defer cancel()
		errs = append(errs, p.registry.Stop(saving))
	}
	return errors.Join(errs...)
}

// leaveBehind forgets what siblings must not share.
func (p *parts) leaveBehind() error {
	err := memory{p.registry}.forgetSession()
	if p.spooled != nil {
		err = errors.Join(err, p.spooled.leaveBehind())
	}
	return err
}
