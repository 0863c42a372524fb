package stream

import (
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/stream/fault"
)

// maxRejected is how many records in a row may go to quarantine before the
// receiving side is tried at the slow interval only: one that reads nothing at
// all must not empty the queue into a file.
const maxRejected = 8

// protocolError is an acknowledgement that breaks the protocol; want is the id of
// the oldest outstanding batch, 0 for none.
func protocolError(id, want uint32, why string) error {
	if want == 0 {
		return fault.New(fault.Protocol, fmt.Errorf("acknowledgement of batch %d: %s", id, why))
	}
	return fault.New(fault.Protocol, fmt.Errorf("acknowledgement of batch %d where %d is the oldest outstanding: %s", id, want, why))
}

// ended is the end of a stream. One that the core closed before is only asked
// whether it was probed too often: then the reason comes a second after the
// wish to end it.
func (c *core) ended(now time.Time, gen uint64, err error) {
	if fault.TooManyPings(err) {
		c.keepalive = min(2*c.keepalive, maxKeepalive)
	}
	switch {
	case gen == 0:
	case gen == c.next.gen:
		c.nextFailed(now, err)
	case gen != c.cur.gen:
	case c.state == StateActive || c.state == StateDraining:
		if fault.Of(err) == fault.Planned && c.queue.outstanding == 0 && c.next.gen != 0 {
			c.stats.Ends.add(fault.Planned)
			c.moveOn(now)
			return
		}
		c.fail(now, err)
	case c.state == StateConnecting:
		c.fail(now, err)
	default:
	}
}

// blameOn keeps the figures of a failure.
func (c *core) blameOn(now time.Time, class fault.Class, err error) {
	c.stats.Ends.add(class)
	if class == fault.Planned {
		return
	}
	c.stats.StreamErrors++
	c.stats.LastError = fault.Text(err)
	c.stats.LastErrorClass = class
	c.stats.LastErrorAt = now
}

// lived says that l was open for long enough to be opened again soon after a close
// in order: a receiving side that closes each stream at once is backed off from.
func (c *core) lived(l leg, now time.Time) bool {
	return l.open && now.Sub(l.openedAt) >= c.cfg.BackoffMin
}

// fail gives the current stream up and decides what follows.
func (c *core) fail(now time.Time, err error) {
	class := fault.Of(err)
	l := c.cur
	e := &c.endpoints[l.endpoint]
	lived := c.lived(l, now)
	outstanding := c.queue.outstanding
	c.closeAll(false)
	c.blameOn(now, class, err)
	if c.stopping && c.queue.len() == 0 {
		c.finish(false)
		return
	}
	if class == fault.Planned && lived {
		c.pause(now.Add(c.jitter(plannedDelay)))
		return
	}
	if status.Code(err) == codes.Aborted && !l.acked {
		// The receiving side has lost the session or gave it to another sender.
		e.session = session{}
	}
	stay := false
	switch cure := fault.RuleOf(class).Cure; {
	case cure == fault.Split && c.codec.Profile() == ProfileHTTP:
		stay = c.bisect(now, e, l, outstanding, class, ReasonSize, err)
	case cure == fault.Split:
		c.lowerLimit(e, err)
		c.punish(now, e, class, err)
	case cure == fault.Shrink:
		c.window = 1
		c.punish(now, e, class, err)
		e.throttle()
	case cure == fault.Bisect:
		stay = c.bisect(now, e, l, outstanding, class, ReasonPoison, err)
	case cure == fault.StepDown:
		if stay = c.stepDown(now, e, l.rung); stay {
			e.delay(now, c.jitter(plannedDelay))
		} else {
			c.punish(now, e, class, err)
		}
	default:
		c.punish(now, e, class, err)
	}
	if c.stopping && c.queue.len() == 0 {
		c.finish(false)
		return
	}
	if stay || (e.failures < failoverAfter && !e.suspended(now)) {
		c.pause(e.retryAt)
		return
	}
	c.reopen(now)
}

// lowerLimit makes messages smaller than the one that was refused.
func (c *core) lowerLimit(e *endpoint, err error) {
	limit := e.limits.DataBytes / 2
	if most := fault.SizeLimit(err) - messageFraming; most > 0 && most < e.limits.DataBytes {
		limit = most
	}
	e.limits.DataBytes = max(limit, minDataBytes)
}

// bisect deals with data that the receiving side cannot read, and says whether
// the endpoint is to be tried again soon. After a snapshot without a payload
// acknowledged, the state is to blame. Otherwise it is a payload, the oldest one
// where it was alone on its way; where it was not, all go out again one at a time
// and as they are, because those before the one at fault may be durable, and parts
// of them would be repeated under new numbers. The payload at fault is halved down
// to the record, which goes to quarantine. Each half is tried on a state of its own.
func (c *core) bisect(now time.Time, e *endpoint, l leg, outstanding int, class fault.Class, reason Reason, err error) bool {
	c.restate(err)
	if (l.snapshot && !l.acked) || !l.sent || c.queue.len() == 0 || c.queue.items[0].sends == 0 {
		c.punish(now, e, class, err)
		return false
	}
	c.window = 1
	c.suspects = max(c.suspects, outstanding, 1)
	if outstanding > 1 || c.parking != nil { // one place is looked for at a time
		e.delay(now, c.jitter(plannedDelay))
		return true
	}
	head := c.queue.items[0]
	if len(head.recs) == 0 {
		c.punish(now, e, class, err)
		return false
	}
	if len(head.recs) > 1 {
		c.stats.BatchesSplit++
		c.shift()
		c.queue.split(0)
		c.suspects++
		e.delay(now, c.jitter(plannedDelay))
		return true
	}
	c.park(head, reason, err)
	c.suspects--
	if c.rejected++; c.rejected > maxRejected {
		e.delay(now, c.jitter(c.cfg.RefusedRetry))
		return true
	}
	e.delay(now, c.jitter(plannedDelay))
	return true
}
