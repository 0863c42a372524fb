package stream

import (
	"time"

	"github.com/vigil-agent/vigil/logs/stream/fault"
)

// open makes the connection of a stream while there is none.
func (c *core) open(now time.Time, endpoint int) {
	if endpoint != c.cur.endpoint {
		c.stats.Failovers++
	}
	c.cur = c.newLeg(now, endpoint)
	c.arm(timerOpen, now.Add(c.cfg.OpenTimeout))
	c.state = StateConnecting
}

// newLeg asks for a connection.
func (c *core) newLeg(now time.Time, endpoint int) leg {
	e := &c.endpoints[endpoint]
	if e.floor > 0 && !now.Before(e.probeAt) {
		e.floor, e.askedAt = 0, time.Time{}
	}
	c.gen++
	l := leg{gen: c.gen, endpoint: endpoint, rung: e.floor}
	ask := c.mustAsk(now, e)
	if r := c.rung(e); r >= 0 && !ask {
		l.rung = r
	}
	c.emit(effect{
		kind: effOpen, gen: l.gen, endpoint: endpoint, ask: ask,
		fallback: c.ladder[l.rung].Profile() == ProfileHTTP, keepalive: c.keepalive,
	})
	return l
}

// reopen opens a stream to the first endpoint that may be tried, or waits for
// one.
func (c *core) reopen(now time.Time) {
	first, at := c.choose(now)
	if at.After(now) {
		c.pause(at)
		return
	}
	c.open(now, first)
}

func (c *core) pause(until time.Time) {
	c.state = StateBackoff
	c.arm(timerRetry, until)
}

// closeAll ends the current stream and the one that was to follow; from here on
// they are of an old generation.
func (c *core) closeAll(graceful bool) {
	c.dropNext()
	if c.cur.gen != 0 {
		c.emit(effect{kind: effClose, gen: c.cur.gen, graceful: graceful})
	}
	c.cur.gen = 0
	c.queue.unsend()
	park := c.deadlines[timerPark]
	c.deadlines = [numTimers]time.Time{timerPark: park}
}

func (c *core) dropNext() {
	if c.next.gen != 0 {
		c.emit(effect{kind: effClose, gen: c.next.gen})
		c.next = leg{}
		c.disarm(timerNext)
	}
}

// goAway is the receiving side's wish to see a stream end soon. A small random
// wait spreads the clients of a server that restarts.
func (c *core) goAway(now time.Time, gen uint64) {
	switch {
	case gen == c.cur.gen && c.state == StateActive && c.next.gen == 0 && !c.cur.leave:
		c.cur.leave = true
		c.cause = CauseGoAway
		c.arm(timerLifetime, now.Add(c.jitter(plannedDelay)))
	case gen != 0 && gen == c.next.gen:
		c.next.leave = true
	}
}

// rotate connects the stream that follows, while the current one goes on unless
// it is frozen.
func (c *core) rotate(now time.Time) {
	if c.state != StateActive || c.next.gen != 0 {
		return
	}
	c.stats.Rotations.add(c.cause)
	c.disarm(timerLifetime)
	c.disarm(timerProbe)
	first, at := c.choose(now)
	if at.After(now) {
		first = c.cur.endpoint
	}
	c.next = c.newLeg(now, first)
	c.arm(timerNext, now.Add(c.cfg.OpenTimeout))
	if c.frozen {
		c.drain(now)
	}
}

// drain stops sending on the current stream until everything sent is
// acknowledged.
func (c *core) drain(now time.Time) {
	c.state = StateDraining
	if c.deadlines[timerDrain].IsZero() {
		c.arm(timerDrain, now.Add(c.cfg.DrainTimeout))
	}
	if c.queue.outstanding == 0 {
		c.moveOn(now)
	}
}

// nextOpened lets the current stream drain. Within a session the next one begins
// meanwhile: its first number counts on all that is outstanding to be acknowledged.
func (c *core) nextOpened(now time.Time, asked bool, announced []string) {
	c.disarm(timerNext)
	e := &c.endpoints[c.next.endpoint]
	if asked {
		e.know(announced, now)
	}
	switch ok, err := c.settle(now, &c.next); {
	case err != nil:
		c.nextFailed(now, err)
	case !ok:
		endpoint := c.next.endpoint
		c.dropNext()
		c.next = c.newLeg(now, endpoint)
		c.arm(timerNext, now.Add(c.cfg.OpenTimeout))
	default:
		if c.next.endpoint == c.cur.endpoint && e.session.ID != "" && c.ladder[c.next.rung].Profile() != ProfileHTTP && c.codec.Profile() != ProfileHTTP {
			c.begin(&c.next)
		}
		c.drain(now)
	}
}

// moveOn leaves a stream that is drained, or whose time to drain is over.
func (c *core) moveOn(now time.Time) {
	drained := c.queue.outstanding == 0
	next := c.next
	if drained && next.gen != 0 && next.endpoint != c.cur.endpoint {
		c.stats.Failovers++
	}
	switch {
	case drained && next.open:
		c.next = leg{}
		c.closeAll(true)
		c.cur = next
		c.activate(now)
	case drained && next.gen != 0:
		at := c.deadlines[timerNext]
		c.next = leg{}
		c.closeAll(true)
		c.cur = next
		c.arm(timerOpen, at)
		c.state = StateConnecting
	default:
		// What is unacknowledged goes again, so the number that the next stream was
		// given does not fit.
		c.closeAll(drained)
		c.reopen(now)
	}
}

// nextFailed gives the next stream up. The current one goes on where it can.
func (c *core) nextFailed(now time.Time, err error) {
	l := c.next
	e := &c.endpoints[l.endpoint]
	c.dropNext()
	class := fault.Of(err)
	c.blameOn(now, class, err)
	again := time.Time{}
	switch {
	case class == fault.Planned && c.lived(l, now):
		again = now.Add(c.jitter(plannedDelay))
	case class == fault.Capability && c.stepDown(now, e, l.rung):
		e.delay(now, c.jitter(plannedDelay))
	default:
		c.punish(now, e, class, err)
	}
	if c.frozen {
		if c.queue.outstanding == 0 {
			c.moveOn(now)
		}
		return
	}
	c.state = StateActive
	c.disarm(timerDrain)
	if again.IsZero() {
		again = e.retryAt
	}
	c.arm(timerLifetime, again)
	c.sendQueued(now)
}

// probe tries the higher rungs again.
func (c *core) probe(now time.Time) {
	if c.state != StateActive || c.next.gen != 0 {
		return
	}
	c.cause = CauseProbe
	c.rotate(now)
}

// keyChanged is a new API key: endpoints that refused the old one are tried at
// once, and a stream in use is replaced by one with the new key.
func (c *core) keyChanged(now time.Time) {
	for i := range c.endpoints {
		if e := &c.endpoints[i]; e.lastClass == fault.Credentials {
			e.retryAt = now
		}
	}
	switch c.state {
	case StateBackoff:
		if _, at := c.choose(now); !at.After(now) {
			c.arm(timerRetry, now)
		}
	case StateConnecting:
		c.closeAll(false)
		c.reopen(now)
	case StateActive, StateDraining:
		c.dropNext()
		c.cause = CauseKey
		c.state = StateActive
		c.disarm(timerDrain)
		c.rotate(now)
	default:
	}
}

// renew begins again as another sender: the sessions and waits of before are
// forgotten, and what is not acknowledged goes to a new stream.
func (c *core) renew(now time.Time) {
	for i := range c.endpoints {
		e := &c.endpoints[i]
		e.session = session{}
		e.delay(now, 0)
	}
	if c.state != StateNew && c.state != StateStopped {
		c.closeAll(false)
		c.reopen(now)
	}
}
