package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/link"

	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/debugger/event"
)

// hit is what one call costs the program with a kind of probe.
type hit struct {
	// Site is the class of the probed instruction, "" when there is none.
	Site string `json:"site"`
	What string `json:"what"`
	// NS is the median of nanoseconds per call.
	NS float64 `json:"ns"`
	// Program and Probe are the multiples of the same site's empty program and
	// empty probe; 0 when they were not measured.
	Program float64 `json:"x_empty_program"`
	Probe   float64 `json:"x_empty_probe"`
	// Lost events found the ring buffer full.
	Lost uint64 `json:"lost"`
}

// What is measured at each site.
const (
	emptyProgram = "empty program"
	throttled    = "over the rate"
	emptyProbe   = "empty probe"
	stackOnly    = "stack"
	text         = "stack, string of 1 KiB"
	graph        = "stack, graph of 1 KiB"
)

// kinds are in the order of the table.
var kinds = []string{emptyProgram, throttled, emptyProbe, stackOnly, text, graph}

func sites() []string { return []string{push, jump, stepped, returned} }

// measureHits calls the functions with each kind of probe in turn, several rounds
// of it, so that what else the machine does is spread over all.
func measureHits(ctx context.Context, t *target, o options) ([]hit, error) {
	hits := []hit{{What: "not probed"}}
	for _, site := range sites() {
		for _, kind := range kinds {
			hits = append(hits, hit{Site: site, What: kind})
		}
	}
	times := make([][]time.Duration, len(hits))
	for round := range o.rounds {
		for i := range hits {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			progress(fmt.Sprintf("round %d of %d: %s %s", round+1, o.rounds, hits[i].Site, hits[i].What))
			some, err := hits[i].measure(t, o.calls)
			if err != nil {
				return nil, fmt.Errorf("%s, %s: %w", hits[i].Site, hits[i].What, err)
			}
			times[i] = append(times[i], some...)
		}
	}
	base := map[[2]string]float64{}
	for i := range hits {
		h := &hits[i]
		h.NS = float64(median(times[i])) / float64(o.calls)
		base[[2]string{h.Site, h.What}] = h.NS
	}
	for i := range hits {
		h := &hits[i]
		if h.Site != "" {
			h.Program = h.NS / base[[2]string{h.Site, emptyProgram}]
			h.Probe = h.NS / base[[2]string{h.Site, emptyProbe}]
		}
	}
	return hits, nil
}

func median(times []time.Duration) time.Duration {
	times = slices.Sorted(slices.Values(times))
	return times[len(times)/2]
}

// parts is how many times the calls are timed while a probe is in place.
const parts = 5

func (h *hit) measure(t *target, calls int) (times []time.Duration, err error) {
	remove := func() error { return nil }
	switch {
	case h.Site == "":
	case h.What == emptyProgram:
		remove, err = attachEmpty(t, h.Site)
	default:
		remove, err = h.attach(t)
	}
	if err != nil {
		return nil, err
	}
	function := "Text"
	if h.What == graph {
		function = "Graph"
	}
	_, err = t.call(function, calls/5) // warms up
	for range parts {
		var took time.Duration
		if err == nil {
			took, err = t.call(function, calls)
			times = append(times, took)
		}
	}
	return times, errors.Join(err, remove())
}

// attach places one of our probes.
func (h *hit) attach(t *target) (remove func() error, err error) {
	function := "Text"
	if h.What == graph {
		function = "Graph"
	}
	p, err := resolve(t.bin, function, h.Site, h.What == text || h.What == graph)
	if err != nil {
		return nil, err
	}
	probe := bpf.Probe{Plan: p, NoStack: h.What == emptyProbe}
	if h.What == throttled {
		probe.PerSecond = 1e-9
	}
	s, err := bpf.Load(bpf.Options{}, []bpf.Probe{probe})
	if err != nil {
		return nil, err
	}
	if err := s.Attach(t.bin.OpenPath(), t.pid(), 0); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	read := make(chan error, 1)
	go func() { // owned by remove
		for {
			err := s.Read(time.Now().Add(time.Second), func(*event.Event) {})
			if err != nil {
				read <- err
				return
			}
		}
	}()
	return func() error {
		err := s.Close()
		if failed := <-read; !errors.Is(failed, os.ErrClosed) {
			err = errors.Join(err, failed)
		}
		stats, failed := s.Stats()
		for _, probe := range stats {
			h.Lost += probe.RingFull
		}
		return errors.Join(err, failed)
	}, nil
}

// attachEmpty places a program that does nothing: what is left is the trap.
func attachEmpty(t *target, site string) (remove func() error, err error) {
	p, err := resolve(t.bin, "Text", site, false)
	if err != nil {
		return nil, err
	}
	program, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "empty", Type: ebpf.Kprobe, AttachType: ebpf.AttachTraceUprobeMulti, License: "GPL",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
	if err != nil {
		return nil, fmt.Errorf("load an empty program: %w", err)
	}
	remove = program.Close
	ex, err := link.OpenExecutable(t.bin.OpenPath())
	if err == nil {
		var addresses []uint64
		for _, s := range p.Sites {
			addresses = append(addresses, s.FileOffset)
		}
		var l link.Link
		l, err = ex.UprobeMulti(nil, program, &link.UprobeMultiOptions{Addresses: addresses, PID: uint32(t.pid())})
		if err == nil {
			return func() error { return errors.Join(l.Close(), program.Close()) }, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("attach an empty program: %w", err), remove())
}
