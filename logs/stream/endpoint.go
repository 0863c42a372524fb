package stream

import (
	"slices"
	"time"

	"github.com/vigil-agent/vigil/logs/stream/fault"
)

// Intervals of the negotiation (logs specification, section 14.1).
const (
	askAgain     = 24 * time.Hour // an announcement is believed for this long
	probeAgain   = time.Hour      // a higher rung is tried again after this long
	announceWait = time.Second    // an announcement is waited for this long
)

// maxProtocolFaults is how often in a row a receiving side may break the protocol
// before it is tried at the slow interval only.
const maxProtocolFaults = 3

// failoverAfter is the number of failures in a row after which another endpoint
// takes over. One alone is often a restart, and moving costs the session.
const failoverAfter = 2

// maxRetryAfter bounds the wait that a receiving side may ask for.
const maxRetryAfter = time.Hour

// maxHalvings bounds how small throttling makes the budget of state, and calmTime is
// how long a receiving side must not have throttled before the budget is doubled
// again. It is less than the shortest Lifetime, so each rotation without a throttle
// doubles it.
const (
	maxHalvings = 8
	calmTime    = 10 * time.Minute
)

// endpoint is what the core knows about one receiving side.
type endpoint struct {
	address string
	// floor is the first rung of the ladder to be used, and 0 again from probeAt on.
	floor   int
	probeAt time.Time
	// announced are the profiles that the receiving side announced when asked; a
	// plain one announces none.
	announced []string
	askedAt   time.Time

	failures  int           // in a row, without sustained progress between them
	protocol  int           // the same, of class protocol
	wait      time.Duration // the last backoff
	retryAt   time.Time
	lastClass fault.Class

	limits  Limits
	session session
	// calm is since when it has not throttled, or a doubling has been tried.
	calm time.Time
}

// takes says whether the receiving side is known to take a profile. A plain one
// announces nothing and takes rows.
func (e *endpoint) takes(profile string) bool {
	switch profile {
	case ProfileColumns:
		return slices.Contains(e.announced, ProfileColumns)
	case ProfileRows:
		return len(e.announced) == 0 || slices.Contains(e.announced, ProfileRows)
	default:
		return true
	}
}

// rung is the first rung to use, -1 when there is none.
func (c *core) rung(e *endpoint) int {
	for r := e.floor; r < len(c.ladder); r++ {
		if e.takes(c.ladder[r].Profile()) {
			return r
		}
	}
	return -1
}

// mustAsk says whether a stream to e has to wait for the announcement.
func (c *core) mustAsk(now time.Time, e *endpoint) bool {
	if c.rung(e) < 0 {
		return true
	}
	if !slices.ContainsFunc(c.ladder[e.floor:], func(r Codec) bool { return r.Profile() == ProfileColumns }) {
		return false
	}
	return e.askedAt.IsZero() || now.Sub(e.askedAt) >= askAgain
}

// know takes what a receiving side announced, now or to an earlier process.
func (e *endpoint) know(announced []string, at time.Time) { e.announced, e.askedAt = announced, at }

// stepDown leaves rung r of e, which the receiving side refused, and says whether
// there is a lower one.
func (c *core) stepDown(now time.Time, e *endpoint, r int) bool {
	e.askedAt = time.Time{}
	if r+1 >= len(c.ladder) {
		e.floor = 0
		return false
	}
	e.floor, e.probeAt = r+1, now.Add(probeAgain)
	c.stats.Fallbacks++
	return true
}

// choose is the endpoint to try next, and when: the first that may be tried, or
// else the one that may be tried first.
func (c *core) choose(now time.Time) (int, time.Time) {
	best := 0
	for i := range c.endpoints {
		e := &c.endpoints[i]
		if !e.retryAt.After(now) {
			return i, now
		}
		if e.retryAt.Before(c.endpoints[best].retryAt) {
			best = i
		}
	}
	return best, c.endpoints[best].retryAt
}

// punish makes e wait after a failure.
func (c *core) punish(now time.Time, e *endpoint, class fault.Class, err error) {
	e.failures++
	e.lastClass = class
	wait := backoffDelay(e.failures, c.cfg.BackoffMin, c.cfg.BackoffMax)
	if class == fault.Protocol {
		e.protocol++
	}
	if fault.RuleOf(class).Wait == fault.Slow || e.protocol >= maxProtocolFaults {
		wait = c.cfg.RefusedRetry
	}
	e.delay(now, max(c.jitter(wait), min(fault.RetryAfter(err), maxRetryAfter)))
}

func (e *endpoint) delay(now time.Time, wait time.Duration) {
	e.wait, e.retryAt = wait, now.Add(wait)
}

// suspended says that e waits for someone to act.
func (e *endpoint) suspended(now time.Time) bool {
	return e.retryAt.After(now) && (fault.RuleOf(e.lastClass).Wait == fault.Slow || e.protocol >= maxProtocolFaults)
}

// progress ends the count of failures once the stream outlived the last wait: a
// receiving side that acknowledges one batch and dies is still backed off from.
func (e *endpoint) progress(lived time.Duration) {
	if lived >= e.wait {
		e.failures, e.protocol, e.wait, e.lastClass = 0, 0, 0, ""
	}
}

// throttle halves the budget of state. The wait that follows is no calm.
func (e *endpoint) throttle() {
	e.limits.Halvings = min(e.limits.Halvings+1, maxHalvings)
	e.calm = e.retryAt
}

// relax doubles the budget of state after a calm time. It is for the begin of a
// stream, which starts on the budget of its endpoint.
func (e *endpoint) relax(now time.Time) {
	if e.limits.Halvings > 0 && now.Sub(e.calm) >= calmTime {
		e.limits.Halvings--
		e.calm = now
	}
}
