package bpf

import (
	"fmt"
	"time"
)

// ProbeStats counts what happened to the hits of one probe since Load. Every
// hit is in exactly one of Throttled, Sent, RingFull and NoScratch, and every
// return in one of Unmatched and the last three, except those being handled at the
// moment. What another session takes is in Passed only.
type ProbeStats struct {
	// Hits is how often an entry or line of the probe was executed; Returns is how
	// often a return was.
	Hits, Returns uint64
	// Unmatched returns were of calls that were throttled, or in progress when the
	// probe was placed, or were pushed out by maxCalls later ones.
	Unmatched uint64
	// Passed hits and returns were left to another session (Session.TakeOver).
	Passed uint64
	// Throttled hits were over the rate.
	Throttled uint64
	// Sent events are in the ring buffer or were read from it.
	Sent uint64
	// RingFull events were lost because the reader was too slow.
	RingFull uint64
	// NoScratch hits were lost because too many were being handled on one CPU.
	NoScratch uint64
	// Faults is how many reads of the process's memory failed.
	Faults uint64
	// Incomplete is how many events were sent before everything was captured.
	Incomplete uint64
	// Busy is the time spent handling hits that were not throttled, without
	// the cost of the trap.
	Busy time.Duration
}

// Stats are the counters of each probe, by its index. After Close they are the
// last ones.
func (s *Session) Stats() ([]ProbeStats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return s.final, nil
	}
	return s.collectStats()
}

func (s *Session) collectStats() ([]ProbeStats, error) {
	all := make([]ProbeStats, len(s.probes))
	for i := range all {
		var perCPU []captureStats
		if err := s.stats.Lookup(uint32(i), &perCPU); err != nil {
			return nil, fmt.Errorf("read the counters of probe %s: %w", s.probes[i].Plan.ProbeID, err)
		}
		p := &all[i]
		for _, c := range perCPU {
			p.Hits += c.Hits
			p.Returns += c.Returns
			p.Unmatched += c.Unmatched
			p.Passed += c.Passed
			p.Throttled += c.Throttled
			p.Sent += c.Sent
			p.RingFull += c.RingFull
			p.NoScratch += c.NoScratch
			p.Faults += c.Faults
			p.Incomplete += c.Incomplete
			p.Busy += time.Duration(c.BusyNs)
		}
	}
	return all, nil
}
