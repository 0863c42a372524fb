package registry

import (
	"slices"

	"github.com/vigil-agent/vigil/logs/record"
)

// Begin notes that a batch is about to be handed on. It must be called before any
// of its lines can be committed, and in reading order per source.
func (r *Registry) Begin(batch []record.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// From the back: the last line of each run of a source ends it.
	for i := range slices.Backward(batch) {
		origin := &batch[i].Origin
		if i+1 < len(batch) && batch[i+1].Origin.Source == origin.Source {
			continue // runs of one source are the rule
		}
		if f := r.files[origin.Source]; f != nil {
			f.handed = max(f.handed, origin.End)
		}
	}
}

// CommitThrough releases offsets: everything of these sources up to there is
// durable. It waits for no disk and keeps one offset a source, so none is ever left
// out, however slow the disk is. Origins it does not know are ignored, such as those
// of content that was truncated away or never begun.
func (r *Registry) CommitThrough(origins ...record.Origin) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var (
		source string
		f      *file
	)
	for _, origin := range origins {
		if f == nil || origin.Source != source {
			source, f = origin.Source, r.files[origin.Source]
		}
		if f != nil && origin.End > f.Offset && origin.End <= f.handed {
			f.Offset = origin.End
			r.dirty = true
			if !f.moved {
				f.moved = true
				r.moved = append(r.moved, f)
			}
		}
	}
	if len(r.moved) > 0 {
		r.nudge()
	}
}
