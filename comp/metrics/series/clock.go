package series

const (
	interval = int64(Interval / 1e9) // in seconds
	// ahead is how far, in seconds, a bucket may lie in the future before the
	// wall clock is believed to have been set back. The API accepts ten minutes.
	ahead = 60
)

// clock gives buckets their timestamps. Two points of one context must never
// have the same one: of two points of a count that have, the API keeps the
// second and loses the first. So once a bucket was taken, by a flush before its
// time or by a clock that is set back afterwards, what else belongs to it goes
// to a bucket that starts a second later at the earliest.
type clock struct {
	floor int64 // no new bucket starts before it
}

// bucket is the start of the bucket that a value belongs to which is emitted at
// the second now.
func (c *clock) bucket(now int64) int64 {
	if c.floor-now > ahead {
		c.floor = 0 // the clock was set back
	}
	return max(now-now%interval, c.floor)
}

// taken notes that no bucket may start at this second or before any more.
func (c *clock) taken(last int64) { c.floor = max(c.floor, last+1) }

// closed says whether a bucket takes no more values: it is over, or it lies in
// a future that the clock was set back from.
func closed(start, now int64) bool { return start+interval <= now || start > now+ahead }
