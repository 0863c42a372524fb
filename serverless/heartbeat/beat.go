package heartbeat

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vigil-agent/vigil/serverless/clock"
	"github.com/vigil-agent/vigil/serverless/microvm"
)

// Config says what is emitted and how often.
type Config struct {
	// Interval is the cadence; DefaultInterval when it is not positive.
	Interval time.Duration
	// Jitter is the share of Interval, 0 to 1, by which each wait varies; 0
	// gives an exact cadence.
	Jitter float64
	// Kind is the metric type.
	Kind Kind
	// Tags go with every sample beside the two id tags. They are copied.
	Tags []string
	// NotBefore is a date no correct wall clock shows any more, such as that of
	// the build; zero for none.
	NotBefore time.Time
}

// Deps are the collaborators. A nil Metrics discards, a nil Log is silent.
type Deps struct {
	Metrics Metrics
	// Seconds takes the active seconds; nil discards them.
	Seconds Counter
	Log     *slog.Logger
	// Clock reads both clocks; nil is clock.Now.
	Clock func() clock.Reading
}

// Beat is the heartbeat of one machine. Every method is safe on nil, from any
// goroutine, any number of times. A Beat that had one Start, Halt or SetID holds
// a goroutine until Close.
type Beat struct {
	cfg     Config
	metrics Metrics
	seconds Counter
	clock   func() clock.Reading
	log     *slog.Logger
	counts  counters

	once sync.Once   // starts the owner, or prevents it for good
	live atomic.Bool // the owner was started
	cmds chan func(*loop)
	gone chan struct{} // closed when the owner has returned, or never will start
}

// New prepares a heartbeat that is stopped and has no id.
func New(cfg Config, deps Deps) *Beat {
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
	return &Beat{
		cfg:     cfg,
		metrics: deps.Metrics,
		seconds: deps.Seconds,
		clock:   deps.Clock,
		log:     deps.Log.With("component", "heartbeat"),
		cmds:    make(chan func(*loop)),
		gone:    make(chan struct{}),
	}
}

// SetID makes id the identity of all later samples. An empty id is ignored, so
// a known one is never lost. A running heartbeat emits at once under a new id.
func (b *Beat) SetID(id string) {
	if id != "" {
		b.do(func(l *loop) { l.setID(id) })
	}
}

// Start begins the cadence with an immediate sample. While the heartbeat is
// already wanted it does nothing.
func (b *Beat) Start() {
	b.do((*loop).start)
}

// Now emits a sample out of turn if the heartbeat is running, and restarts the
// cadence from it.
func (b *Beat) Now() {
	b.do((*loop).now)
}

// Halt ends the cadence and returns what is still under way: a sample that had
// begun, or else the active seconds since the last one. When it returns no new
// emission will begin; Drain.Wait waits for the one that has.
func (b *Beat) Halt() Drain {
	if b == nil || !b.live.Load() {
		return Drain{}
	}
	drain := Drain{beat: b}
	b.do(func(l *loop) { drain.flight = l.halt() })
	return drain
}

// Stop is Halt followed by Drain.Wait.
func (b *Beat) Stop(ctx context.Context) error {
	return b.Halt().Wait(ctx)
}

// Close stops the heartbeat for good and ends its goroutine. Like Stop it waits
// for an emission under way at most StopTimeout, and not longer than ctx allows;
// an emission that is stuck beyond that ends whenever its client returns.
func (b *Beat) Close(ctx context.Context) error {
	if b == nil {
		return nil
	}
	b.once.Do(func() { close(b.gone) })
	drain := Drain{beat: b}
	b.do(func(l *loop) {
		drain.flight = l.halt()
		l.closed = true
	})
	<-b.gone
	return drain.Wait(ctx)
}

// Stats is a consistent-enough snapshot for reporting; it takes no lock.
func (b *Beat) Stats() Stats {
	if b == nil {
		return Stats{}
	}
	return b.counts.snapshot()
}

// do has the owner execute f, and starts the owner on first use. After Close f
// is not executed.
func (b *Beat) do(f func(*loop)) {
	if b == nil {
		return
	}
	b.once.Do(func() {
		b.live.Store(true)
		go b.own()
	})
	done := make(chan struct{})
	select {
	case b.cmds <- func(l *loop) { f(l); close(done) }:
		<-done
	case <-b.gone:
	}
}

// sampleTags is a fresh slice: the metrics client may keep what it is given.
func (b *Beat) sampleTags(id string) []string {
	tags := make([]string, 0, len(b.cfg.Tags)+2)
	tags = append(tags, b.cfg.Tags...)
	return append(tags, microvm.TagID+":"+id, microvm.TagLambdaID+":"+id)
}
