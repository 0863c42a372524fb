package heartbeat

import (
	"time"

	"github.com/vigil-agent/vigil/serverless/clock"
)

// loop is the state of the heartbeat. Only the owner goroutine touches it.
type loop struct {
	b *Beat

	wanted bool
	closed bool
	id     string

	timer *time.Timer
	next  time.Time // when the coming sample is due
	// owed says that a sample fell due while another was still under way.
	owed   bool
	flight *flight // the emission under way, or nil

	watch  clock.Watch
	active meter
	// resyncUntil is until when a sample waits for a wall clock that is not to be
	// trusted, on the monotonic clock; zero when none waits.
	resyncUntil time.Duration
	// resumed says that a gap between the clocks is what a suspend explains.
	resumed bool

	toldSilent bool
}

// own runs the owner. A select between a command and a tick that are both ready
// is a coin toss, so waiting commands are obeyed before a tick counts: a tick
// never beats a Stop that was there first.
func (b *Beat) own() {
	defer close(b.gone)
	l := &loop{b: b, timer: time.NewTimer(b.cfg.Interval), watch: clock.Watch{NotBefore: b.cfg.NotBefore}}
	l.timer.Stop()
	defer l.timer.Stop()
	for !l.closed {
		select {
		case f := <-b.cmds:
			f(l)
		case <-l.timer.C:
			l.obeyWaiting()
			l.tick()
		case <-l.landed():
			l.land()
			l.obeyWaiting()
			if l.owed {
				l.emit()
			}
		}
	}
}

// obeyWaiting executes every command whose caller already waits.
func (l *loop) obeyWaiting() {
	for !l.closed {
		select {
		case f := <-l.b.cmds:
			f(l)
		default:
			return
		}
	}
}

func (l *loop) landed() <-chan struct{} {
	if l.flight == nil {
		return nil
	}
	return l.flight.done
}

// land takes back what the metrics client did not take.
func (l *loop) land() {
	if !l.flight.orphan {
		l.active.owe(l.flight.owed)
	}
	l.flight = nil
}

func (l *loop) setID(id string) {
	fresh := id != l.id
	if fresh && l.id != "" {
		// A machine cloned from a running one: what it inherited belongs to its
		// parent, which reports it itself.
		l.account()
		l.active.forget()
		if l.flight != nil {
			l.flight.orphan = true
		}
	}
	l.id = id
	if fresh && l.wanted {
		l.emit()
	}
}

func (l *loop) start() {
	if !l.wanted {
		l.wanted, l.resumed, l.next = true, true, time.Now()
		l.active.begin(l.b.clock().Mono)
		l.emit()
	}
}

func (l *loop) now() {
	if l.wanted {
		l.emit()
	}
}

func (l *loop) halt() *flight {
	l.timer.Stop()
	waiting := l.resyncUntil != 0
	l.account()
	l.wanted, l.owed, l.resyncUntil = false, false, 0
	l.active.end()
	if l.flight != nil && l.flight.over() {
		l.land()
	}
	if l.flight == nil && l.id != "" {
		if c := (cargo{id: l.id, sample: waiting, active: l.active.take()}); c.sample || c.active > 0 {
			l.flight = l.b.launch(c)
		}
	}
	return l.flight
}

// tick handles an expired timer. A command executed meanwhile may have stopped
// the cadence or moved it; then the tick is void.
func (l *loop) tick() {
	if l.wanted && !time.Now().Before(l.next) {
		l.emit()
	}
}

// account adds the running time until now. It comes before whatever moves the
// next tick: that tick being overdue is what shows a freeze.
func (l *loop) account() {
	if now := time.Now(); l.wanted && now.Sub(l.next) > clock.Tolerance {
		// Nothing executed when the tick was due, although the monotonic clock went
		// on: as far as this machine is concerned, that was no running time.
		late := now.Sub(l.next)
		l.froze(late)
		l.active.except(late)
		l.next = now
	}
	l.active.reach(l.b.clock().Mono)
}

// froze notes that the machine stood still, or that its wall clock was stepped.
func (l *loop) froze(gap time.Duration) {
	l.b.counts.freezes.Add(1)
	l.b.log.Info("the machine stood still, or its clock was stepped", "gap", gap)
}

// resyncing reports that the sample has to wait because the wall clock is wrong,
// and has the next tick look again.
func (l *loop) resyncing() bool {
	now := l.b.clock()
	if l.watch.Peek(now).Unsafe {
		if l.resyncUntil == 0 {
			l.b.counts.resyncs.Add(1)
			l.resyncUntil = now.Mono + ResyncPatience
		}
		if now.Mono < l.resyncUntil {
			l.wait(min(resyncPoll, l.resyncUntil-now.Mono))
			return true
		}
	}
	l.resyncUntil = 0
	if change := l.watch.Observe(now); change.Frozen && !l.resumed {
		l.froze(change.Gap)
	}
	l.resumed = false
	return false
}

// emit sends a sample, or notes why not, and begins the next interval.
func (l *loop) emit() {
	l.account()
	if l.resyncing() {
		return
	}
	l.schedule()
	l.owed = false
	switch {
	case l.id == "":
		l.b.counts.suppressed.Add(1)
		if !l.toldSilent {
			l.toldSilent = true
			l.b.log.Info("heartbeat armed but silent until the run hook brings an instance id")
		}
	case l.flight != nil:
		l.owed = true
	default:
		l.flight = l.b.launch(cargo{id: l.id, sample: true, active: l.active.take()})
	}
}

func (l *loop) schedule() {
	wait := l.b.cfg.Interval
	if l.b.cfg.Jitter > 0 {
		wait = jittered(wait, l.b.cfg.Jitter, drawJitter())
	}
	l.wait(wait)
}

func (l *loop) wait(d time.Duration) {
	l.next = time.Now().Add(d)
	l.timer.Reset(d)
}
