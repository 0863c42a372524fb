package stream

import "time"

// event is what a link tells the owner.
type event struct {
	kind eventKind
	gen  uint64
	id   uint32
	ok   bool
	err  error
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
	)
	defer timer.Stop()
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
		if w.core.hasRoom() {
			appends = w.appends
		}
		select {
		case call := <-appends:
			w.step(func(now time.Time) { w.core.append(now, call.recs) })
			call.done <- struct{}{}
		case ev := <-w.events:
			w.step(func(now time.Time) { w.handle(now, ev) })
		case <-timer.C:
			armed = time.Time{}
			w.step(func(now time.Time) { w.core.tick(now) })
		case <-stop:
			stop = nil
			w.step(func(now time.Time) { w.core.stop(now) })
		case <-abandon:
			abandon = nil
			w.step(func(time.Time) { w.core.abandon() })
			w.cutAll()
		case <-linksGone:
			return
		}
	}
}

func (w *Worker) handle(now time.Time, ev event) {
	switch ev.kind {
	case evOpened:
		w.core.opened(now, ev.gen)
	case evAck:
		w.core.ack(now, ev.gen, ev.id, ev.ok)
	case evGoAway:
		w.core.goAway(now, ev.gen)
	case evEnded:
		w.core.ended(now, ev.gen, ev.err)
	}
}

// step feeds one event to the core and carries out what follows.
func (w *Worker) step(feed func(now time.Time)) {
	now := time.Now()
	w.mu.Lock()
	before, failed := w.core.state, w.core.stats.StreamErrors
	feed(now)
	after, s := w.core.state, w.core.stats
	wait := w.core.deadlines[timerRetry]
	effects := w.core.take()
	w.mu.Unlock()

	for _, e := range effects {
		w.carryOut(e)
	}
	clear(effects)
	switch {
	case s.StreamErrors != failed:
		w.down = true
		w.log.Warn("log stream failed", "error", s.LastError, "class", string(s.LastErrorClass), "retry_in", time.Until(wait).Round(time.Millisecond))
	case before != after && after == StateActive && w.down:
		w.down = false
		w.log.Info("log stream open", "address", w.cfg.Address)
	case before != after:
		w.log.Debug("log stream changed state", "from", string(before), "to", string(after))
	}
}

func (w *Worker) carryOut(e effect) {
	switch e.kind {
	case effOpen:
		w.link = w.openLink(e.gen, e.keepalive)
	case effSend:
		w.link.out.push(e.id, e.data)
	case effClose:
		if w.link == nil || w.link.gen != e.gen {
			return
		}
		w.link.close(e.graceful, w.cfg.DrainTimeout)
		w.link = nil
	case effRelease:
		w.notify.push(e.seq, e.origins)
	case effDrop:
		w.log.Warn("log line dropped: it does not fit into one message even alone", "bytes", e.size, "origin", e.origins, "error", e.err)
	case effReset:
		w.log.Warn("stream state given up; the next stream learns it again", "error", e.err)
	}
}

func (w *Worker) openLink(gen uint64, keepalive time.Duration) *link {
	l := newLink(w.linkCtx, gen)
	cfg := w.cfg
	cfg.KeepaliveTime = keepalive
	w.links.Go(func() {
		err := l.run(cfg, w.deps, &w.wire, w.events)
		w.events <- event{kind: evEnded, gen: gen, err: err}
	})
	return l
}
