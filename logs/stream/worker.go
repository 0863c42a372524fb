package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/record"
)

// ErrStopped is returned for lines that a stopped worker cannot take.
var ErrStopped = errors.New("stream: stopped")

// UnackedError says how much Append accepted that was not acknowledged when the
// worker stopped. The lines are not lost: their origins were not released, so
// their source delivers them again.
type UnackedError struct {
	Lines, Batches int
	// LastError is why the last stream failed, empty when none did.
	LastError string
}

func (e *UnackedError) Error() string {
	text := fmt.Sprintf("stream: stopped with %d lines in %d batches unacknowledged; they are read again at the next start", e.Lines, e.Batches)
	if e.LastError != "" {
		text += " (last error: " + e.LastError + ")"
	}
	return text
}

// Worker sends batches over one stream at a time. All methods may be called
// concurrently.
type Worker struct {
	cfg  Config
	deps Deps
	log  *slog.Logger

	appends chan *appendCall
	calls   sync.Pool // of *appendCall
	events  chan event
	renewal chan struct{} // asks for Renew; room for one
	parked  chan parked   // from the quarantine; room for one
	stop    chan struct{} // closed by Stop
	abandon chan struct{} // closed when a Stop runs out of time
	done    chan struct{} // closed when all goroutines but the notifier's ended

	notify  *notifier
	wire    wireCounter
	blocked atomic.Int64 // ns that senders waited
	key     atomic.Pointer[string]
	refused string     // the last key that cannot be sent; owner only
	saving  sync.Mutex // one call of deps.Store at a time
	links   sync.WaitGroup
	open    map[uint64]*link // by generation; owner only
	down    bool             // no stream was open since the last failure; owner only
	parking bool             // the quarantine is being written; owner only
	linkCtx context.Context
	cutAll  context.CancelFunc

	startOnce, stopOnce, abandonOnce sync.Once

	// mu guards everything declared below. The owner alone changes the core.
	mu      sync.Mutex
	started bool
	core    *core
}

// New makes a worker that is not connected. It fails on a Config that cannot
// work.
func New(cfg Config, deps Deps) (*Worker, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	if deps.Log == nil {
		deps.Log = slog.New(slog.DiscardHandler)
	}
	if deps.OnDurable == nil {
		deps.OnDurable = func(uint64, []record.Origin) {}
	}
	ladder := deps.Codecs
	if deps.Fallback != nil {
		ladder = append(slices.Clip(ladder), plain{})
	}
	if len(ladder) == 0 {
		ladder = []Codec{Rows(rows.Options{MaxDataBytes: cfg.MaxDataBytes})}
	}
	cfg.queue, cfg.durable = deps.Queue, deps.Store != nil && deps.FirstSeq > 0
	core, err := newCore(cfg, ladder, jitter)
	if err != nil {
		return nil, err
	}
	w := &Worker{
		cfg:     cfg,
		deps:    deps,
		log:     deps.Log,
		appends: make(chan *appendCall),
		events:  make(chan event, 64),
		renewal: make(chan struct{}, 1),
		parked:  make(chan parked, 1),
		stop:    make(chan struct{}),
		abandon: make(chan struct{}),
		done:    make(chan struct{}),
		notify:  newNotifier(deps.OnDurable),
		open:    map[uint64]*link{},
		down:    true,
		core:    core,
	}
	w.key.Store(&cfg.APIKey)
	if deps.FirstSeq > 0 {
		core.seq = deps.FirstSeq - 1
		w.notify.seq = core.seq
	}
	if deps.Store != nil {
		for i := range core.endpoints {
			e := &core.endpoints[i]
			e.know(deps.Store.Profiles(e.address))
		}
	}
	if cfg.durable && !deps.NewSession {
		core.resume(deps.Store.Session(), deps.Queue, deps.FirstSeq)
	}
	w.linkCtx, w.cutAll = context.WithCancel(context.Background())
	return w, nil
}

// Start opens the first stream in the background. It does nothing when the
// worker was started or stopped before.
func (w *Worker) Start(context.Context) error {
	w.startOnce.Do(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		select {
		case <-w.stop:
			return
		default:
		}
		w.started = true
		go w.notify.run()
		go w.run()
	})
	return nil
}

// Renew goes on as another sender on a new connection, for a machine that was
// cloned or frozen: connections are dead then, and siblings must not share a
// session. It does not wait.
func (w *Worker) Renew() {
	select {
	case w.renewal <- struct{}{}:
	default: // asked for already
	}
}

// Stop admits no more lines, waits until those accepted are acknowledged, ends
// the stream and waits for all goroutines. When ctx is done first it gives up
// and returns an *UnackedError. It may be called without Start and many times.
func (w *Worker) Stop(ctx context.Context) error {
	w.stopOnce.Do(func() {
		w.mu.Lock()
		close(w.stop)
		started := w.started
		if !started {
			w.core.abandon()
		}
		w.mu.Unlock()
		if !started {
			w.cutAll()
			w.notify.close()
			go w.notify.run()
			close(w.done)
		}
	})
	select {
	case <-w.done:
	case <-ctx.Done():
		w.abandonOnce.Do(func() { close(w.abandon) })
		<-w.done
	}
	<-w.notify.done
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.core.queue.batches == 0 {
		return nil
	}
	return &UnackedError{Lines: w.core.queue.lines, Batches: w.core.queue.batches, LastError: w.core.stats.LastError}
}

// appendCall hands the records of one Append to the owner.
type appendCall struct {
	seq  uint64
	recs []record.Record
	done chan struct{}
}

// Append accepts recs as one batch, numbered one higher than the batch before.
// Nothing of recs is kept, so the caller may reuse them. It blocks while a bound
// on what is not acknowledged is reached and before Start. When it returns an
// error (of ctx, or ErrStopped), nothing was accepted.
func (w *Worker) Append(ctx context.Context, recs []record.Record) error {
	return w.AppendSeq(ctx, 0, recs)
}

// AppendSeq is Append for a batch whose number the caller gives, because it keeps
// the batch until OnDurable reports that number. Numbers only grow; a batch that
// the caller lost comes without records. After a restart the same number must come
// with the same records.
func (w *Worker) AppendSeq(ctx context.Context, seq uint64, recs []record.Record) error {
	if len(recs) == 0 && seq == 0 {
		return nil
	}
	select {
	case <-w.stop:
		return ErrStopped
	default:
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("stream: append %d lines: %w", len(recs), err)
	}
	call, ok := w.calls.Get().(*appendCall)
	if !ok {
		call = &appendCall{done: make(chan struct{}, 1)}
	}
	call.seq, call.recs = seq, recs
	defer func() {
		call.recs = nil
		w.calls.Put(call)
	}()
	select {
	case w.appends <- call:
		<-call.done
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stream: append %d lines while the receiving side lags: %w", len(recs), ctx.Err())
	case <-w.stop:
		return ErrStopped
	}
}

// Flush waits until everything accepted before the call is durable and OnDurable
// was told. It returns ErrStopped, wrapped, when the worker ends before that.
func (w *Worker) Flush(ctx context.Context) error {
	w.mu.Lock()
	seq := w.core.seq
	w.mu.Unlock()
	for {
		durable, changed := w.notify.durable()
		if durable >= seq {
			return nil
		}
		select {
		case <-changed:
		case <-w.notify.done:
			if durable, _ := w.notify.durable(); durable >= seq {
				return nil
			}
			return fmt.Errorf("stream: flush: lines stay unacknowledged: %w", ErrStopped)
		case <-ctx.Done():
			return fmt.Errorf("stream: flush: lines wait for their acknowledgement: %w", ctx.Err())
		}
	}
}

// Stats says where the worker stands.
func (w *Worker) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.core.snapshotStats(time.Now())
	s.WireSent, s.WireReceived = w.wire.sent.Load(), w.wire.received.Load()
	s.SendBlocked = time.Duration(w.blocked.Load())
	return s
}
