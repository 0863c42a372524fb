package stream

import (
	"bytes"
	"slices"
	"time"

	"github.com/vigil-agent/vigil/logs/record"
)

// keyInterval is how often the API key is asked for: a new one is in use within
// a second.
const keyInterval = 500 * time.Millisecond

// event is what a link tells the owner.
type event struct {
	kind eventKind
	gen  uint64
	id   uint32
	ok   bool
	err  error

	asked     bool
	announced []string
}

type eventKind uint8

const (
	evOpened eventKind = iota + 1
	evAck
	evGoAway
	evEnded
)

// run is the owner: the only goroutine that feeds the core. It ends when the
// core has stopped and all links are gone.
func (w *Worker) run() {
	defer close(w.done)
	defer w.notify.close()
	defer w.cutAll()

	var (
		timer     = time.NewTimer(time.Hour)
		armed     time.Time
		stop      = w.stop
		abandon   = w.abandon
		linksGone chan struct{}
		keys      <-chan time.Time
	)
	defer timer.Stop()
	if w.deps.APIKey != nil {
		ticker := time.NewTicker(keyInterval)
		defer ticker.Stop()
		keys = ticker.C
		key := w.deps.APIKey()
		w.key.Store(&key)
	}
	w.step(func(now time.Time) { w.core.start(now) })
	for {
		if w.core.state == StateStopped && linksGone == nil {
			// No link is opened any more, so the count only falls.
			linksGone = make(chan struct{})
			go func() { w.links.Wait(); close(linksGone) }()
		}
		if next := w.core.deadline(); !next.Equal(armed) {
			armed = next
			if next.IsZero() {
				timer.Stop()
			} else {
				timer.Reset(time.Until(next))
			}
		}
		var appends chan *appendCall
		if w.core.hasRoom(time.Now()) {
			appends = w.appends
		}
		select {
		case call := <-appends:
			w.step(func(now time.Time) { w.core.append(now, call.seq, call.recs) })
			call.done <- struct{}{}
		case ev := <-w.events:
			w.step(func(now time.Time) { w.handle(now, ev) })
		case <-timer.C:
			armed = time.Time{}
			w.step(func(now time.Time) { w.core.tick(now) })
		case p := <-w.parked:
			w.step(w.settled(p))
		case <-w.renewal:
			w.step(func(now time.Time) { w.core.renew(now) })
		case <-keys:
			w.rekey(w.deps.APIKey())
		case <-stop:
			stop = nil
			w.step(func(now time.Time) { w.core.stop(now) })
		case <-abandon:
			abandon = nil
			w.step(func(time.Time) { w.core.abandon() })
			w.cutAll()
		case <-linksGone:
			w.awaitQuarantine(abandon == nil)
			return
		}
	}
}

// rekey puts a new API key to use. One that cannot be sent leaves the old one.
func (w *Worker) rekey(key string) {
	switch {
	case key == *w.key.Load() || key == w.refused:
	case !printable(key):
		w.refused = key
		w.log.Error("the new API key is not used: it has a character that no header can carry")
	default:
		w.refused = ""
		w.key.Store(&key)
		w.log.Info("new API key, the log stream is opened again with it")
		w.step(func(now time.Time) { w.core.keyChanged(now) })
	}
}

func (w *Worker) handle(now time.Time, ev event) {
	switch ev.kind {
	case evOpened:
		w.core.opened(now, ev.gen, ev.asked, ev.announced)
	case evAck:
		w.core.ack(now, ev.gen, ev.id, ev.ok)
	case evGoAway:
		w.core.goAway(now, ev.gen)
	case evEnded:
		delete(w.open, ev.gen)
		w.core.ended(now, ev.gen, ev.err)
	}
}

// step feeds one event to the core and carries out what follows. A record that is
// dropped for want of a quarantine is the core's next event.
func (w *Worker) step(feed func(now time.Time)) {
	for feed != nil {
		now := time.Now()
		w.mu.Lock()
		before, failed := w.core.state, w.core.stats.StreamErrors
		feed(now)
		after, s := w.core.state, w.core.stats
		wait := w.core.deadlines[timerRetry]
		effects := w.core.take()
		w.mu.Unlock()

		feed = nil
		for _, e := range effects {
			if e.kind == effQuarantine {
				feed = w.quarantine(e)
				continue
			}
			w.carryOut(e)
		}
		clear(effects)
		w.report(before, after, s.StreamErrors != failed, s, wait)
	}
}

func (w *Worker) report(before, after State, failed bool, s Stats, retry time.Time) {
	switch {
	case failed:
		w.down = true
		args := []any{"error", s.LastError, "class", string(s.LastErrorClass)}
		if !retry.IsZero() {
			args = append(args, "retry_in", time.Until(retry).Round(time.Millisecond))
		}
		w.log.Warn("log stream failed", args...)
	case before != after && after == StateActive && w.down:
		w.down = false
		w.log.Info("log stream open")
	case before != after:
		w.log.Debug("log stream changed state", "from", string(before), "to", string(after))
	}
}

func (w *Worker) carryOut(e effect) {
	switch e.kind {
	case effOpen:
		w.open[e.gen] = w.openLink(e)
	case effBegin:
		w.open[e.gen].order <- e
	case effSend:
		w.open[e.gen].out.add(outItem{id: e.id, data: e.data, recs: cloneRecords(e.recs)})
	case effClose:
		if l := w.open[e.gen]; l != nil {
			l.close(e.graceful, w.cfg.DrainTimeout)
		}
	case effRelease:
		w.notify.push(e.seq, e.origins)
	case effReset:
		w.log.Warn("stream state given up; the next stream learns it again", "error", e.err)
	}
}

// cloneRecords keeps records beyond the core's next event.
func cloneRecords(recs []record.Record) []record.Record {
	out := slices.Clone(recs)
	for i := range out {
		out[i].Message = bytes.Clone(out[i].Message)
	}
	return out
}

func (w *Worker) openLink(e effect) *link {
	l := newLink(w.linkCtx, w, e)
	w.links.Go(func() {
		err := l.run()
		w.events <- event{kind: evEnded, gen: l.gen, err: err}
	})
	return l
}
