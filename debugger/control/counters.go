package control

// Counters say what became of the hits of one probe. Every hit is throttled,
// dropped, a snapshot, or on its way.
type Counters struct {
	// Hits is how often the function was called while probed.
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
}

func (c *Counters) add(o Counters) {
	c.Hits += o.Hits
	c.Snapshots += o.Snapshots
	c.Bytes += o.Bytes
	c.Throttled += o.Throttled
	c.Dropped += o.Dropped
	c.Incomplete += o.Incomplete
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
		out[i] = Counters{Snapshots: hit.snapshots.Load(), Bytes: hit.bytes.Load(), Dropped: hit.refused.Load()}
		if i < len(stats) {
			s := stats[i]
			out[i].Hits, out[i].Throttled, out[i].Incomplete = s.Hits, s.Throttled, s.Incomplete
			out[i].Dropped += s.RingFull + s.NoScratch
		}
	}
	return out, nil
}
