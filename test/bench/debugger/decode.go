package main

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

// decoding is what the agent needs for one event.
type decoding struct {
	What string `json:"what"`
	// Bytes is the length of the snapshot's JSON.
	Bytes int `json:"json_bytes"`
	// NS is processor time per snapshot, decoded and encoded, the median of
	// several parts; NSPerKiB by KiB of JSON.
	NS       float64 `json:"ns"`
	NSPerKiB float64 `json:"ns_per_kib"`
	// Allocs is allocations per snapshot.
	Allocs float64 `json:"allocs"`
}

func measureDecoding(t *target, o options) ([]decoding, error) {
	var all []decoding
	for _, d := range []struct{ what, function string }{{text, "Text"}, {graph, "Graph"}} {
		progress("decode: " + d.what)
		one, err := decode(t, d.function, o.snapshots)
		if err != nil {
			return nil, fmt.Errorf("decode, %s: %w", d.what, err)
		}
		one.What = d.what
		all = append(all, one)
	}
	return all, nil
}

// decode captures one call and decodes its event many times.
func decode(t *target, function string, snapshots int) (d decoding, err error) {
	p, err := resolve(t.bin, function, push, true)
	if err != nil {
		return d, err
	}
	layout, err := snapshot.NewLayout(p, snapshot.Redaction{})
	if err != nil {
		return d, err
	}
	s, err := bpf.Load(bpf.Options{}, []bpf.Probe{{Plan: p}})
	if err != nil {
		return d, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Attach(t.bin.OpenPath(), t.pid(), 0); err != nil {
		return d, err
	}
	if _, err := t.call(function, 1); err != nil {
		return d, err
	}
	symbols := frames{t.bin.Symbolizer()}
	decoder := snapshot.NewDecoder(snapshot.Deps{
		Wall: func(uint64) time.Time { return time.Now() },
		Process: func(*event.Event) snapshot.Process {
			return snapshot.Process{PID: t.pid(), Service: "bench", Symbols: symbols}
		},
	})
	seen := false
	err = s.Read(time.Now(), func(e *event.Event) {
		seen = true
		d = decodeEvent(decoder, layout, e, snapshots)
	})
	if err == nil && !seen {
		err = errors.New("no event came")
	}
	return d, err
}

// decodeEvent decodes an event again and again; it is valid during the call.
func decodeEvent(decoder *snapshot.Decoder, layout *snapshot.Layout, e *event.Event, snapshots int) decoding {
	var out []byte
	for range snapshots { // warms up
		out = decoder.Decode(layout, e).AppendJSON(out[:0])
	}
	var times []time.Duration
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const parts = 11
	for range parts {
		start := processorTime()
		for range snapshots {
			out = decoder.Decode(layout, e).AppendJSON(out[:0])
		}
		times = append(times, processorTime()-start)
	}
	runtime.ReadMemStats(&after)
	d := decoding{
		Bytes: len(out), NS: float64(median(times)) / float64(snapshots),
		// A few are the runtime's own.
		Allocs: float64((after.Mallocs - before.Mallocs) / uint64(parts*snapshots)),
	}
	d.NSPerKiB = d.NS * 1024 / float64(len(out))
	return d
}

// processorTime is what this process has used, without what the kernel did.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the arguments are right
	}
	return time.Duration(u.Utime.Nano())
}

// frames are the target's, which is loaded where it was linked to.
type frames struct{ symbols *binary.Symbolizer }

// Frames implements snapshot.Symbolizer.
func (f frames) Frames(pc uint64, dst []snapshot.Frame) []snapshot.Frame {
	for _, one := range f.symbols.Frames(pc, false) {
		dst = append(dst, snapshot.Frame(one))
	}
	return dst
}
