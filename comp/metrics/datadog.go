package metrics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vigil-agent/vigil/comp/metrics/series"
)

// lastFlush is what Stop spends on a last delivery at most; other components
// have to stop, too.
const lastFlush = 2 * time.Second

// Datadog sends to the Datadog API: gauges and counts to the v2 series
// endpoint, distributions to the distribution-points endpoint. It is a no-op
// before Start and after Stop.
//
// Values are aggregated in buckets of ten seconds, each of which is sent soon
// after it is over. What cannot be sent waits in a bounded queue and is tried
// again. A request whose answer got lost is repeated: the API keeps the last
// value of a series per timestamp, so a repeated gauge or count does not change
// it; a repeated distribution point may be added twice.
//
// Every value is aggregated here, so nothing is gained by sampling: the rate of
// a call is ignored and every call counts in full.
type Datadog struct {
	view
	base      string
	log       *slog.Logger
	aggregate *series.Aggregate
	queue     *queue
	client    *client
	ledger    *ledger
	pace      pace
	on        atomic.Bool
	silence   silence

	mu        sync.Mutex
	started   bool   // guarded by mu
	stopped   bool   // guarded by mu
	lastError string // guarded by mu
	logged    string // guarded by mu: the failure that the log was told last
	badKey    bool   // guarded by mu: the API refused the key last time
	cancel    context.CancelFunc
	done      chan struct{} // closed when the owner goroutine has ended
}

var _ Output = (*Datadog)(nil)

// NewDatadog returns an output that does nothing until it is started. It fails
// with ErrNoKey, and for a base URL that would give the key away.
func NewDatadog(c Config, log *slog.Logger) (*Datadog, error) {
	return newDatadog(c, log, newTransport())
}

func newDatadog(c Config, log *slog.Logger, transport http.RoundTripper) (*Datadog, error) {
	if c.APIKey == "" {
		return nil, ErrNoKey
	}
	if err := checkURL(c.APIURL); err != nil {
		return nil, err
	}
	d := &Datadog{
		base:      c.APIURL,
		log:       log.With("component", name),
		aggregate: series.NewAggregate(series.DefaultLimits(), c.Tags, c.Hostname),
		client:    newClient(c.APIURL, c.APIKey, transport),
		ledger:    &ledger{},
		done:      make(chan struct{}),
	}
	d.queue = newQueue(d.ledger)
	d.view = view{d: d, scope: series.Tagged}
	return d, nil
}

// Start begins to accept and to send.
func (d *Datadog) Start(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.started || d.stopped {
		return nil
	}
	d.started = true
	ctx, d.cancel = context.WithCancel(context.WithoutCancel(ctx))
	d.on.Store(true)
	go d.run(ctx)
	return nil
}

// Stop accepts nothing more, sends what is held for two seconds at most, and
// drops the rest with a warning.
func (d *Datadog) Stop(ctx context.Context) error {
	d.mu.Lock()
	was := d.started && !d.stopped
	d.stopped = true
	d.mu.Unlock()
	if !was {
		return nil
	}
	d.on.Store(false)
	ctx, cancel := context.WithTimeout(ctx, lastFlush)
	defer cancel()
	err := d.flush(ctx)
	d.cancel()
	<-d.done
	d.queue.dropAll(dropStopped)
	d.client.closeIdle()
	if lost := d.ledger.dropped[dropStopped].Load(); lost > 0 {
		d.log.Warn("metrics were not delivered before the end", "values", lost, "url", d.base, "error", err)
	}
	return nil
}

// Usage implements Component.
func (d *Datadog) Usage() Emitter { return view{d: d, scope: series.Bare} }

// Flush implements Component: everything is answered by the API when it
// returns nil. An error says what was not, or what the API refused. Without a
// deadline in ctx it takes ten seconds at most.
func (d *Datadog) Flush(ctx context.Context) error {
	if !d.on.Load() {
		return nil
	}
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, requestTimeout)
		defer cancel()
	}
	return d.flush(ctx)
}

func (d *Datadog) flush(ctx context.Context) error {
	d.enqueue(d.aggregate.TakeAll(time.Now()))
	if err := d.deliver(ctx, true); err != nil {
		return fmt.Errorf("flush metrics to %s: %w", d.base, err)
	}
	return nil
}

// enqueue encodes points for sending.
func (d *Datadog) enqueue(points []series.Point) {
	payloads, oversize := series.Payloads(points)
	d.ledger.drop(dropOversize, oversize)
	d.queue.push(payloads...)
}

// run sends every bucket that is over, and tries again what failed. It is the
// only goroutine of the output.
func (d *Datadog) run(ctx context.Context) {
	defer close(d.done)
	ticker := time.NewTicker(series.Interval)
	defer ticker.Stop()
	for {
		var retry <-chan time.Time
		if wait, failed := d.pace.retry(time.Now()); failed && !d.queue.empty() {
			retry = time.After(wait)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			d.enqueue(d.aggregate.TakeClosed(time.Now()))
		case <-retry:
		}
		if err := d.deliver(ctx, false); err != nil && !errors.Is(err, context.Canceled) {
			d.note(err)
		}
	}
}
