package source

import (
	"slices"
	"strings"
	"sync/atomic"
)

// counters are what a file's reader counts, read by others at any time.
type counters struct {
	size, read                               atomic.Int64
	lines, bytes, pieces, rests, truncations atomic.Int64
}

// States of a file.
const (
	// StateWaiting means that the file that stood at this name before is still
	// being read.
	StateWaiting = "waiting"
	// StateReading is the normal state.
	StateReading = "reading"
	// StateRotated means that the file was renamed or deleted and is kept until
	// its writers are gone.
	StateRotated = "rotated"
	// StateFailed means that the file cannot be read; FileStatus.Error says why.
	StateFailed = "failed"
)

// FileStatus describes one open file, or one that cannot be opened.
type FileStatus struct {
	// Path is the name the file has, or had before it was renamed or deleted.
	Path string `json:"path"`
	// Source is its identity in the registry; empty when it cannot be opened.
	Source string `json:"source,omitempty"`
	State  string `json:"state"`
	// Offset is up to where lines are durable, Read up to where they have been
	// handed on, and Size the length of the file, all in bytes.
	Offset int64 `json:"offset"`
	Read   int64 `json:"read"`
	Size   int64 `json:"size"`
	// Lag is what the file holds and the receiving side does not, in bytes.
	Lag int64 `json:"lag_bytes"`
	// Lines and Bytes count what was read since the file was opened.
	Lines int64 `json:"lines"`
	Bytes int64 `json:"bytes"`
	// CutLines counts records that do not end a line, because it was too long.
	CutLines int64 `json:"cut_lines,omitempty"`
	// Unterminated counts last lines sent without a line feed, because the file
	// was given up or truncated.
	Unterminated int64 `json:"unterminated_lines,omitempty"`
	// Truncations counts how often the file was read again from its beginning.
	Truncations int64 `json:"truncations,omitempty"`
	// Error is why the file cannot be read now.
	Error string `json:"error,omitempty"`
}

// Status describes all open files, by name.
func (f *Files) Status() []FileStatus {
	f.mu.Lock()
	tails := make([]*tail, 0, len(f.tails))
	for _, t := range f.tails {
		tails = append(tails, t)
	}
	out := make([]FileStatus, 0, len(tails)+len(f.faults))
	for path, fault := range f.faults {
		out = append(out, FileStatus{Path: path, State: StateFailed, Error: fault})
	}
	f.mu.Unlock()
	for _, t := range tails {
		out = append(out, t.status())
	}
	slices.SortFunc(out, func(a, b FileStatus) int {
		if c := strings.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.Source, b.Source)
	})
	return out
}

func (t *tail) status() FileStatus {
	t.mu.Lock()
	s := FileStatus{Path: t.path, Source: t.id, State: StateReading, Error: t.fault}
	t.mu.Unlock()
	s.Size, s.Read = t.size.Load(), t.read.Load()
	s.Lines, s.Bytes = t.lines.Load(), t.bytes.Load()
	s.CutLines, s.Unterminated, s.Truncations = t.pieces.Load(), t.rests.Load(), t.truncations.Load()
	s.Offset, _ = t.files.registry.Offset(s.Source)
	s.Lag = max(0, s.Size-s.Offset)
	switch {
	case s.Error != "":
		s.State = StateFailed
	case !t.listed.Load() || t.replaced.Load():
		s.State = StateRotated
	case t.after != nil && !closed(t.after):
		s.State = StateWaiting
	}
	return s
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
