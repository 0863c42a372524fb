package control

// Counters say what became of the hits of one probe. Every hit is throttled,
// dropped, a snapshot, or on its way; those of a probe with returns become a
// snapshot when the call has returned.
type Counters struct {
	// Hits is how often the function was called, or the line run, while probed.
	Hits uint64 `json:"hits"`
	// Snapshots were handed to the output, Bytes in total.
	Snapshots uint64 `json:"snapshots"`
	Bytes     uint64 `json:"bytes"`
	// Throttled hits were over the probe's rate.
	Throttled uint64 `json:"throttled"`
	// Dropped hits were lost: the ring buffer or the output's queue was full,
	// or too many were handled at the same time.
	Dropped uint64 `json:"dropped"`
	// Incomplete snapshots were sent before everything was captured.
	Incomplete uint64 `json:"incomplete"`
	// Faults are reads of the process's memory that failed.
	Faults uint64 `json:"faults"`
	// BusyNS is the time spent capturing, in nanoseconds, without the traps.
	BusyNS uint64 `json:"busy_ns"`
	Calls
	// Replans is how often the probe was placed again, with types that snapshots
	// had met and did not know; TypesRefused are reports of types over the bound.
	Replans      uint64 `json:"replans"`
	TypesRefused uint64 `json:"types_refused"`
}

// Calls say what became of the calls of a probe with returns.
type Calls struct {
	// Returns is how often the function returned; Unmatched of these were of calls
	// that were throttled, or in progress when the probe was placed.
	Returns   uint64 `json:"returns"`
	Unmatched uint64 `json:"unmatched"`
	// Paired snapshots have both ends of the call.
	Paired uint64 `json:"paired"`
	// Snapshots without the return: a panic took the call away, too many were in
	// progress, it took longer than a minute, or the process or probe ended first.
	Unwound uint64 `json:"unwound"`
	Evicted uint64 `json:"evicted"`
	Overdue uint64 `json:"overdue"`
	Ended   uint64 `json:"ended"`
	// Alone are snapshots of the return only: the other end was sent before, or
	// lost.
	Alone uint64 `json:"alone"`
}

// fields are all counters, in one order.
func (c *Counters) fields() []*uint64 {
	return []*uint64{
		&c.Hits, &c.Snapshots, &c.Bytes, &c.Throttled, &c.Dropped, &c.Incomplete, &c.Faults, &c.BusyNS,
		&c.Returns, &c.Unmatched, &c.Paired, &c.Unwound, &c.Evicted, &c.Overdue, &c.Ended, &c.Alone,
		&c.Replans, &c.TypesRefused,
	}
}

// Add adds each counter of another.
func (c *Counters) Add(o Counters) {
	from := o.fields()
	for i, to := range c.fields() {
		*to += *from[i]
	}
}

// Counters are those of each probe, in the order of Probes. After Close they
// are the last ones.
func (p *Program) Counters() ([]Counters, error) {
	stats, err := p.session.Stats()
	if err != nil {
		return nil, err
	}
	out := make([]Counters, len(p.probes))
	for i, hit := range p.probes {
		out[i] = hit.tally.counters()
		hit.types.mu.Lock()
		out[i].TypesRefused = hit.types.refused
		hit.types.mu.Unlock()
	}
	for k, part := range p.parts {
		if k >= len(stats) {
			break
		}
		s, c := stats[k], &out[part.index]
		c.Hits += s.Hits
		c.Throttled += s.Throttled
		c.Incomplete += s.Incomplete
		c.Dropped += s.RingFull + s.NoScratch
		c.Faults += s.Faults
		c.BusyNS += uint64(s.Busy.Nanoseconds())
		c.Returns += s.Returns
		c.Unmatched += s.Unmatched
	}
	return out, nil
}

func (t *tally) counters() Counters {
	return Counters{
		Snapshots: t.snapshots.Load(), Bytes: t.bytes.Load(), Dropped: t.refused.Load(),
		Calls: Calls{
			Paired: t.paired.Load(), Unwound: t.unwound.Load(), Evicted: t.evicted.Load(),
			Overdue: t.overdue.Load(), Ended: t.ended.Load(), Alone: t.alone.Load(),
		},
	}
}
