package main

import (
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/logs/record"
)

// result is one cell of the table.
type result struct {
	Corpus string `json:"corpus"`
	Method string `json:"method"`
	// Batch is the number of lines in a batch; 0 where there are none.
	Batch int `json:"batch"`
	Lines int `json:"lines"`
	Raw   int `json:"raw_bytes"`
	// Floor is the bytes drawn at random to make the corpus; 0 when unknown.
	Floor float64 `json:"floor_bytes,omitempty"`
	Bytes int     `json:"bytes"`
	// Metadata says whether Bytes hold time, status and tags too.
	Metadata bool    `json:"metadata"`
	Encode   float64 `json:"encode_us_per_line"`
	Decode   float64 `json:"decode_us_per_line"`
	Allocs   float64 `json:"encode_allocs_per_line"`
	State    int     `json:"state_bytes"`
	// Replaced is the number of lines that could only be sent with U+FFFD in
	// place of bytes outside UTF-8.
	Replaced int `json:"replaced_lines,omitempty"`
}

// measure encodes the corpus and decodes it again, comparing every line.
func measure(c *corpus, m method, batch int) (result, error) {
	r := result{Corpus: c.name, Method: m.name, Batch: batch, Lines: len(c.recs), Raw: c.raw, Floor: c.floor, Metadata: m.metadata}
	stream, err := m.open()
	if err != nil {
		return r, err
	}
	// The bytes and their ends are kept, so that each direction is timed alone.
	data := make([]byte, 0, c.raw)
	ends := make([]int, 0, len(c.recs)/batch+1)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	begin := cpuTime()
	for recs := range batches(c.recs, batch) {
		if data, err = stream.encode(data, recs); err != nil {
			return r, fmt.Errorf("encode batch %d: %w", len(ends)+1, err)
		}
		ends = append(ends, len(data))
	}
	r.Encode = perLine(cpuTime()-begin, r.Lines)
	runtime.ReadMemStats(&after)
	r.Allocs = float64(after.Mallocs-before.Mallocs) / float64(r.Lines)
	r.Bytes, r.State = len(data), stream.state()

	from, i := 0, 0
	begin = cpuTime()
	for recs := range batches(c.recs, batch) {
		replaced, err := stream.decode(data[from:ends[i]], recs)
		if err != nil {
			return r, fmt.Errorf("what was decoded is not what was encoded: batch %d: %w", i+1, err)
		}
		r.Replaced += replaced
		from, i = ends[i], i+1
	}
	r.Decode = perLine(cpuTime()-begin, r.Lines)
	return r, nil
}

// batches yields parts of at most n records.
func batches(recs []record.Record, n int) func(func([]record.Record) bool) {
	return func(yield func([]record.Record) bool) {
		for from := 0; from < len(recs); from += n {
			if !yield(recs[from:min(from+n, len(recs))]) {
				return
			}
		}
	}
}

func perLine(d time.Duration, lines int) float64 {
	return float64(d.Nanoseconds()) / 1e3 / float64(lines)
}

// cpuTime is what this process has used of its cores, the garbage collector
// included: other processes of a busy machine do not count.
func cpuTime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t) // every Linux has this clock
	return time.Duration(t.Nano())
}
