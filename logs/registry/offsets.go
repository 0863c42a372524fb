package registry

import (
	"slices"

	"github.com/vigil-agent/vigil/logs/record"
)

// Begin notes that a batch is about to be handed on. It must be called before
// any of its lines can be committed, and in reading order per source.
func (r *Registry) Begin(batch []record.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.batch++
	// From the back: the last line of each source ends its span.
	for i, b := range slices.Backward(batch) {
		origin := b.Origin
		if i+1 < len(batch) && batch[i+1].Origin.Source == origin.Source {
			continue // runs of one source are the rule
		}
		if f := r.files[origin.Source]; f != nil && f.batch != r.batch {
			f.batch = r.batch
			f.tracker.begin(origin.End)
		}
	}
}

// Commit releases offsets: the lines that end there are durable, and with them
// the earlier lines of the same source in the same batch. The registry moves an
// offset only when everything before it has been committed, so batches may be
// acknowledged in any order. Origins it does not know are ignored, such as those
// of content that was truncated away.
func (r *Registry) Commit(origins ...record.Origin) { r.commit(origins, (*tracker).commit) }

// CommitThrough is Commit for a stream that acknowledges in the order of Begin
// and may tell of several batches at once: everything of the source up to there
// is durable.
func (r *Registry) CommitThrough(origins ...record.Origin) {
	r.commit(origins, (*tracker).commitThrough)
}

func (r *Registry) commit(origins []record.Origin, commit func(*tracker, int64) (int64, bool)) {
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
		if f == nil {
			continue
		}
		if offset, moved := commit(&f.tracker, origin.End); moved && offset > f.Offset {
			f.Offset = offset
			r.dirty = true
		}
	}
}
