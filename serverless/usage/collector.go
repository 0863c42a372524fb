package usage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vigil-agent/vigil/serverless/clock"
)

const (
	// DefaultInterval is the time between two measurements (specification
	// section 9, collector tick).
	DefaultInterval = 3 * time.Second
	// QuietTime bounds the silence between an answered ready and the restore
	// from the snapshot: an image whose run hook is off must not be silent for
	// ever. It is execution time, so a snapshot does not use it up.
	QuietTime = time.Minute
)

// ErrStuck says that the metrics client had not returned when Stop gave up.
var ErrStuck = errors.New("usage: the metrics client is still busy with the last sample")

// CPU is where the measurements come from; a Source is one.
type CPU interface {
	// Used is the CPU time used so far, Limit what may be used in nanocores.
	Used() (time.Duration, error)
	Limit() (nanocores float64, err error)
}

// Config says what is emitted and how often.
type Config struct {
	// Interval is the cadence; DefaultInterval when it is not positive.
	Interval time.Duration
	// Tags go with every sample. They are copied.
	Tags []string
}

// Deps are the collaborators; each may be nil.
type Deps struct {
	// Usage takes the instance gauge, Enhanced the distributions.
	Usage    Gauger
	Enhanced Distributor
	CPU      CPU
	Log      *slog.Logger
	// OnFreeze is called when the clocks show a freeze or a step, from the
	// goroutine that measures; it must not block.
	OnFreeze func(clock.Change)
	// Clock reads both clocks; nil is clock.Now.
	Clock func() clock.Reading
}

// Collector measures until it is stopped. It runs once.
type Collector struct {
	cfg    Config
	deps   Deps
	log    *slog.Logger
	counts counters

	id         atomic.Pointer[string]
	quietUntil atomic.Int64  // clock.Reading.Mono in nanoseconds; 0 is not quiet
	restores   atomic.Uint64 // each makes the baseline worthless

	startOnce, stopOnce sync.Once
	syncs               chan chan struct{}
	stop                chan struct{}
	gone                chan struct{} // closed when the owner has ended, or never will start
}

// New prepares a collector.
func New(cfg Config, deps Deps) *Collector {
	if cfg.Interval <= 0 {
		cfg.Interval = DefaultInterval
	}
	cfg.Tags = slices.Clone(cfg.Tags)
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.Clock == nil {
		deps.Clock = clock.Now
	}
	c := &Collector{
		cfg:   cfg,
		deps:  deps,
		log:   deps.Log.With("component", "usage"),
		syncs: make(chan chan struct{}),
		stop:  make(chan struct{}),
		gone:  make(chan struct{}),
	}
	c.counts.init()
	return c
}

// Start begins with an instance sample; a second call does nothing.
func (c *Collector) Start() {
	c.startOnce.Do(func() { go c.own() })
}

// Stop emits a last instance sample and ends the collector for good. When ctx
// ends first the error is ErrStuck, and the goroutine ends as soon as the metrics
// client lets go of it. It is safe without Start and more than once.
func (c *Collector) Stop(ctx context.Context) error {
	c.startOnce.Do(func() { close(c.gone) })
	c.stopOnce.Do(func() { close(c.stop) })
	select {
	case <-c.gone:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrStuck, ctx.Err())
	}
}

// SetID makes id the instance tag of all later samples; an empty id is ignored.
func (c *Collector) SetID(id string) {
	if id != "" {
		c.id.Store(&id)
	}
}

// BeforeSnapshot makes the collector silent until AfterRestore, at most for
// QuietTime, and returns when no sample is under way any more or ctx ends.
func (c *Collector) BeforeSnapshot(ctx context.Context) {
	c.quietUntil.Store(int64(c.deps.Clock().Mono + QuietTime))
	ack := make(chan struct{})
	select {
	case c.syncs <- ack:
		<-ack
	case <-c.gone:
	case <-ctx.Done():
	}
}

// AfterRestore ends the silence and forgets the baseline of the CPU usage: a rate
// that spans a freeze is meaningless. It never blocks.
func (c *Collector) AfterRestore() {
	c.restores.Add(1)
	c.quietUntil.Store(0)
}

// Stats is a consistent-enough snapshot for reporting; it takes no lock.
func (c *Collector) Stats() Stats { return c.counts.snapshot() }

// state is what the owner goroutine alone holds.
type state struct {
	watch    clock.Watch
	idle     time.Duration // since when the owner waits for a tick, on the monotonic clock
	base     baseline
	restores uint64 // what base belongs to
}

func (c *Collector) own() {
	defer close(c.gone)
	var s state
	s.watch.Observe(c.deps.Clock())
	ticker := time.NewTicker(c.cfg.Interval)
	defer ticker.Stop()
	c.instance()
	for {
		s.idle = c.deps.Clock().Mono
		select {
		case <-c.stop:
			if !c.quiet() {
				c.instance()
			}
			return
		case ack := <-c.syncs:
			close(ack)
		case <-ticker.C:
			c.tick(&s)
		}
	}
}

func (c *Collector) quiet() bool {
	until := c.quietUntil.Load()
	return until != 0 && int64(c.deps.Clock().Mono) < until
}

func (c *Collector) tick(s *state) {
	now := c.deps.Clock()
	change := s.watch.Observe(now)
	if late := now.Mono - s.idle - c.cfg.Interval; late > clock.Tolerance {
		// Nothing executed when the tick was due: the monotonic clock went on in a
		// freeze.
		change.Gap, change.Frozen = late, true
	}
	if change.Frozen {
		c.counts.freezes.Add(1)
		s.base = baseline{}
		if c.deps.OnFreeze != nil {
			c.deps.OnFreeze(change)
		}
	}
	if c.quiet() {
		s.base = baseline{}
		return
	}
	c.instance()
	c.cpu(s)
}

// instance says that the machine is there, however the CPU can be read.
func (c *Collector) instance() {
	c.counts.ticks.Add(1)
	if c.deps.Usage == nil {
		return
	}
	tags := c.tags(1)
	if id := c.id.Load(); id != nil {
		tags = append(tags, tagInstance+":"+*id)
	}
	c.send(func() error { return c.deps.Usage.Gauge(MetricInstance, 1, tags, 1) })
}

func (c *Collector) cpu(s *state) {
	if c.deps.CPU == nil {
		return
	}
	restores := c.restores.Load()
	if restores != s.restores {
		s.base, s.restores = baseline{}, restores
	}
	if used, err := c.deps.CPU.Used(); err != nil {
		c.unreadable(err)
	} else if rate := s.base.advance(used, c.deps.Clock().Mono); !math.IsNaN(rate) && restores == c.restores.Load() {
		storeFloat(&c.counts.usage, rate)
		c.distribute(MetricCPUUsage, rate)
	}
	if limit, err := c.deps.CPU.Limit(); err != nil {
		c.unreadable(err)
	} else {
		storeFloat(&c.counts.limit, limit)
		c.distribute(MetricCPULimit, limit)
	}
}

func (c *Collector) unreadable(err error) {
	if c.counts.cpuErrors.Add(1) == 1 {
		c.log.Warn("CPU usage cannot be measured now; later failures are only counted", "err", err)
	}
}

func (c *Collector) distribute(name string, value float64) {
	if c.deps.Enhanced != nil {
		c.send(func() error { return c.deps.Enhanced.Distribution(name, value, c.tags(0), 1) })
	}
}

// tags is a fresh slice: the metrics client may keep what it is given.
func (c *Collector) tags(room int) []string {
	return append(make([]string, 0, len(c.cfg.Tags)+room), c.cfg.Tags...)
}

func (c *Collector) send(emit func() error) {
	if err := safely(emit); err != nil && c.counts.failed.Add(1) == 1 {
		c.log.Warn("the metrics client refused a usage sample; later refusals are only counted", "err", err)
	}
}

func safely(emit func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panicked: %v", p)
		}
	}()
	return emit()
}
