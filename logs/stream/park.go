package stream

import "time"

// parkTime is what a worker that gave up allows a quarantine that is being written.
const parkTime = time.Second

// parked is the answer of the quarantine.
type parked struct {
	record Rejected
	err    error
}

// quarantine looks for a place for a record, which may take as long as the disk does:
// the answer comes over w.parked, and streams are served meanwhile. The core asks for
// one place at a time. Without a quarantine the answer is returned at once.
func (w *Worker) quarantine(e effect) func(time.Time) {
	r := Rejected{Record: cloneRecords(e.recs)[0], Seq: e.seq, Reason: e.reason, Err: e.err}
	if w.deps.Quarantine == nil {
		w.log.Warn("log line dropped: it cannot be delivered and there is no quarantine", "bytes", len(r.Record.Message), "source", r.Record.Origin.Source, "reason", string(r.Reason), "error", r.Err)
		return func(now time.Time) { w.core.parked(now, true, nil) }
	}
	w.parking = true
	go func() { w.parked <- parked{r, w.deps.Quarantine(r)} }() // room for one
	return nil
}

// settled is the core's event for an answer of the quarantine.
func (w *Worker) settled(p parked) func(time.Time) {
	w.parking = false
	r := p.record
	if p.err != nil {
		w.log.Error("log line cannot be put into quarantine, everything waits for it", "error", p.err)
	} else {
		w.log.Warn("log line put into quarantine: it cannot be delivered", "bytes", len(r.Record.Message), "source", r.Record.Origin.Source, "reason", string(r.Reason), "error", r.Err)
	}
	return func(now time.Time) { w.core.parked(now, false, p.err) }
}

// awaitQuarantine waits until nothing is being written, for a moment only when the
// worker gave up: a disk that does not return must not keep it. The line is read
// again at the next start then.
func (w *Worker) awaitQuarantine(gaveUp bool) {
	if !w.parking {
		return
	}
	var late <-chan time.Time
	if gaveUp {
		timer := time.NewTimer(parkTime)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case p := <-w.parked:
		w.settled(p)
	case <-late:
		w.log.Error("the quarantine does not return; its line is read again at the next start")
	}
}
