package robust

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"sync"

	"github.com/vigil-agent/vigil/logs/intake/journal"
	"github.com/vigil-agent/vigil/logs/quarantine"
	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/test/loggen"
)

// kind is what is written: block storage, whose logs are of one line each.
const kind = "blocks"

// truth is what was written, and how much of it arrived.
type truth struct {
	seed maphash.Seed
	gen  *loggen.Generator
	// change makes another line of a generated one; nil leaves it as it is.
	change func(n int, line []byte) []byte

	// sums and ends are the hash of each line and the offset after it, line 1
	// first.
	sums []uint64
	ends []int64

	// mu guards posted.
	mu     sync.Mutex
	posted [][]byte // arrived over HTTP
}

func newTruth() (*truth, error) {
	gen, err := loggen.New(kind, 1)
	if err != nil {
		return nil, err
	}
	gen.Numbered(1)
	return &truth{seed: maphash.MakeSeed(), gen: gen}, nil
}

// next appends the next line and its line feed.
func (t *truth) next(dst []byte) []byte {
	line := t.gen.Line().Message
	if t.change != nil {
		line = t.change(len(t.sums)+1, line)
	}
	end := int64(len(line)) + 1
	if n := len(t.ends); n > 0 {
		end += t.ends[n-1]
	}
	t.sums, t.ends = append(t.sums, maphash.Bytes(t.seed, line)), append(t.ends, end)
	return append(append(dst, line...), '\n')
}

// number is the number of a line, 0 when it has none.
func number(line []byte) int {
	rest, ok := bytes.CutPrefix(line, []byte("seq="))
	digits, _, more := bytes.Cut(rest, []byte{' '})
	n, err := strconv.Atoi(string(digits))
	if !ok || !more || err != nil {
		return 0
	}
	return n
}

// post takes a line that arrived over HTTP.
func (t *truth) post(line []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.posted = append(t.posted, bytes.Clone(line))
}

// tally is the comparison of what was written with what arrived.
type tally struct {
	lost, duplicated, quarantined int
	// foreign were never written, or not like that; misplaced came for the first
	// time after a later one.
	foreign, misplaced int
	// firstLost and lastLost are numbers of lines; 0 when none is lost.
	firstLost, lastLost int
	// highest is the highest number that arrived.
	highest int
}

// compare reads the journals, what came over HTTP and what the agent put aside.
// Order is only looked at within a journal.
func (t *truth) compare(journals []string, aside string) (c tally, err error) {
	seen := make([]uint8, len(t.sums)+1)
	take := func(line []byte, last *int) {
		n := number(line)
		if n < 1 || n > len(t.sums) || maphash.Bytes(t.seed, line) != t.sums[n-1] {
			c.foreign++
			return
		}
		if seen[n] > 0 {
			c.duplicated++
			return
		}
		seen[n]++
		if n < *last {
			c.misplaced++
		}
		*last = max(*last, n)
		c.highest = max(c.highest, n)
	}
	for _, path := range journals {
		last := 0
		for l, err := range journal.Read(path) {
			if errors.Is(err, fs.ErrNotExist) {
				break
			}
			if err != nil {
				return c, err
			}
			take(l.Message, &last)
		}
	}
	t.mu.Lock()
	last := 0
	for _, line := range t.posted {
		take(line, &last)
	}
	t.mu.Unlock()
	files, err := filepath.Glob(filepath.Join(aside, "*"))
	if err != nil {
		return c, err
	}
	for _, file := range files {
		for e, err := range quarantine.Read(file) {
			if err != nil {
				return c, fmt.Errorf("read what was put aside: %w", err)
			}
			c.quarantined++
			behind := 0 // it arrives out of order
			take(e.Message, &behind)
		}
	}
	for n := 1; n < len(seen); n++ {
		if seen[n] > 0 {
			continue
		}
		c.lost++
		if c.firstLost == 0 {
			c.firstLost = n
		}
		c.lastLost = n
	}
	return c, nil
}

// holds is a step's condition: the batch holds one of these lines.
func holds(numbers ...int) func(record.Record) bool {
	return func(r record.Record) bool { return slices.Contains(numbers, number(r.Message)) }
}
