package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/source"
	"github.com/vigil-agent/vigil/logs/stream"
)

// Deps is what the engine needs from its surroundings.
type Deps struct {
	// Log may be nil.
	Log *slog.Logger
	// Version is the agent's, for the stream's user agent.
	Version string
}

// shipper is the sending side: a *stream.Worker, or a test's.
type shipper interface {
	Start(ctx context.Context) error
	// Append and AppendSeq block while there is no room and keep nothing of lines.
	Append(ctx context.Context, lines []record.Record) error
	AppendSeq(ctx context.Context, seq uint64, lines []record.Record) error
	// Flush returns when everything appended is acknowledged.
	Flush(ctx context.Context) error
	// Stop waits for acknowledgements until ctx ends.
	Stop(ctx context.Context) error
	// Renew begins a new session on a new connection.
	Renew()
	Stats() stream.Stats
}

// Engine ships logs. Its methods may be called concurrently.
type Engine struct {
	cfg        Config
	deps       Deps
	log        *slog.Logger
	newShipper func(stream.Config, stream.Deps) (shipper, error)

	outputs []*source.Output // of the application: stdout, stderr; empty without one

	// changing serialises Start, Stop and what snapshots need, and guards pause.
	changing sync.Mutex
	pause    pause
	paused   atomic.Bool // pause.on, for Status

	// mu guards everything below.
	mu    sync.Mutex
	parts *parts // nil: not running
	extra []string
	last  Status // as it was when the engine stopped
}

// New checks the configuration; nothing is opened before Start. It returns the
// errors of Validate, except those about files.
func New(cfg Config, deps Deps) (*Engine, error) {
	if err := errors.Join(cfg.check().errs...); err != nil {
		return nil, fmt.Errorf("logs: %w", err)
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	return &Engine{cfg: cfg, deps: deps, log: deps.Log, newShipper: newWorker, outputs: cfg.outputs()}, nil
}

// Output takes what the supervised application prints; both are nil when there
// is no source for it. Writing never waits, and may begin before Start: there is
// room for some lines, and what is too much is dropped and counted.
func (e *Engine) Output() (stdout, stderr io.Writer) {
	if len(e.outputs) == 0 {
		return nil, nil
	}
	return e.outputs[0], e.outputs[1]
}

func newWorker(cfg stream.Config, deps stream.Deps) (shipper, error) {
	return stream.New(cfg, deps)
}

// Start takes the run path, looks for files and begins to read and ship them in
// the background. It does not wait for the receiving side. An engine that is
// switched off does nothing.
func (e *Engine) Start(ctx context.Context) error {
	e.changing.Lock()
	defer e.changing.Unlock()
	return e.start(ctx)
}

// start is Start; the caller holds changing.
func (e *Engine) start(ctx context.Context) error {
	if !e.cfg.Enabled || e.running() != nil {
		return nil
	}
	p, err := e.assemble(ctx)
	if err != nil {
		_ = p.stop(ctx) // what it has to say follows from err
		return fmt.Errorf("logs: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	p.files.Retag(e.extra)
	e.parts = p
	e.log.Info("logs are followed", "sources", len(e.cfg.Sources), "endpoint", e.cfg.Endpoint.Address)
	return nil
}

func userAgent(version string) string {
	if version == "" {
		return "vigil"
	}
	return "vigil/" + version
}

// Stop stops reading, ships what was read, waits for its acknowledgement and
// saves the offsets. When ctx ends first it says how much is not acknowledged:
// that is read again at the next start. With a spool, what a receiving side that is
// away does not take stays there, which is no error. It is safe without Start and
// twice.
func (e *Engine) Stop(ctx context.Context) error {
	e.changing.Lock()
	defer e.changing.Unlock()
	e.endPause()
	return e.halt(ctx)
}

// halt is Stop; the caller holds changing.
func (e *Engine) halt(ctx context.Context) error {
	p := e.running()
	if p == nil {
		return nil
	}
	err := p.stop(ctx)
	last := e.Status()
	last.Running = false
	e.mu.Lock()
	defer e.mu.Unlock()
	e.parts, e.last = nil, last
	if err != nil {
		return fmt.Errorf("logs: %w", err)
	}
	return nil
}

// Flush returns when everything written to the files before the call is
// acknowledged and its offsets are saved, or when ctx ends. A last line without
// its line feed is not waited for.
func (e *Engine) Flush(ctx context.Context) error {
	p := e.running()
	if p == nil {
		return nil
	}
	steps := []func(context.Context) error{p.files.Sync}
	for _, o := range p.outputs {
		steps = append(steps, o.Sync)
	}
	for _, flush := range append(steps, p.batcher.Flush, p.flushSent, p.registry.Flush) {
		if err := flush(ctx); err != nil {
			return fmt.Errorf("flush logs: %w", err)
		}
	}
	return nil
}

// Retag adds tags, as "key:value", to every line read or printed from now on, in place of
// those of an earlier call.
func (e *Engine) Retag(extra []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.extra = slices.Clone(extra)
	if e.parts != nil {
		e.parts.files.Retag(e.extra)
	}
	for _, o := range e.outputs {
		o.Retag(e.extra)
	}
}

func (e *Engine) running() *parts {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.parts
}

// outputs are the sources for what the application prints, by stream.
func (c Config) outputs() []*source.Output {
	for _, s := range c.Sources {
		if s.Type == SourceApp && c.Enabled {
			room := c.shares().outputs / 2
			output := func(stream string) *source.Output {
				return source.NewOutput(source.OutputConfig{Name: stream, Tags: append(c.tagsOf(s), "stream:"+stream), MaxBytes: room})
			}
			return []*source.Output{output("stdout"), output("stderr")}
		}
	}
	return nil
}

// takesOutput says whether what an application prints is a source.
func (c Config) takesOutput() bool {
	return c.Enabled && slices.ContainsFunc(c.Sources, func(s SourceConfig) bool { return s.Type == SourceApp })
}

// patterns turns the configured files into what the file source follows.
func (c Config) patterns() []source.Pattern {
	out := make([]source.Pattern, 0, len(c.Sources))
	for _, s := range c.Sources {
		if s.Type != SourceFile {
			continue
		}
		out = append(out, source.Pattern{Path: s.Path, FromEnd: s.StartAt != StartAtBeginning, Tags: c.tagsOf(s)})
	}
	return out
}

// tagsOf are the tags of a source's lines, the most general first.
func (c Config) tagsOf(s SourceConfig) []string {
	var tags []string
	for _, t := range []struct{ key, value string }{{"hostname", c.Hostname}, {"service", s.Service}, {"ddsource", s.Source}} {
		if t.value != "" {
			tags = append(tags, t.key+":"+t.value)
		}
	}
	return slices.Concat(tags, c.Tags, s.Tags)
}
