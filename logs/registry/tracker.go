package registry

import "sort"

// tracker turns acknowledgements of one source into the offset before which
// nothing is outstanding. Offsets only grow: content that starts over is
// another source.
type tracker struct {
	open []span // in reading order; ends ascend
	done int64  // the end of the last span that was closed
}

// span is the part of a source that travels in one batch. It starts where the
// span before it ends.
type span struct {
	end int64
	// durable is how far into the span acknowledgements have come; equal to end
	// when all of it is durable, 0 when nothing is.
	durable int64
}

// begin notes that everything up to end is on its way.
func (t *tracker) begin(end int64) {
	last := t.done
	if n := len(t.open); n > 0 {
		last = t.open[n-1].end
	}
	if end > last {
		t.open = append(t.open, span{end: end})
	}
}

// commit notes that the line ending at end, and those before it in the same
// batch, are durable. It returns the offset that may be released and whether it
// moved.
func (t *tracker) commit(end int64) (offset int64, moved bool) {
	i := sort.Search(len(t.open), func(i int) bool { return t.open[i].end >= end })
	start := t.done
	if i > 0 {
		start = t.open[i-1].end
	}
	if i == len(t.open) || end <= start || end <= t.open[i].durable {
		return 0, false // released already, or never handed out
	}
	t.open[i].durable = end
	if i > 0 {
		return 0, false
	}
	return t.release()
}

// commitThrough notes that everything up to end is durable, whichever batches
// it travelled in. It returns what commit returns.
func (t *tracker) commitThrough(end int64) (offset int64, moved bool) {
	for i := range t.open {
		s := &t.open[i]
		if s.end >= end {
			break
		}
		s.durable = s.end
	}
	if offset, moved = t.commit(end); moved || len(t.open) == 0 || t.open[0].durable < t.open[0].end {
		return offset, moved
	}
	return t.release()
}

// release closes the spans that are durable at the front.
func (t *tracker) release() (offset int64, moved bool) {
	closed := 0
	for closed < len(t.open) && t.open[closed].durable > 0 {
		offset, moved = t.open[closed].durable, true
		if offset < t.open[closed].end {
			break
		}
		t.done = offset
		closed++
	}
	t.open = append(t.open[:0], t.open[closed:]...)
	return offset, moved
}

// idle says whether nothing is on its way.
func (t *tracker) idle() bool { return len(t.open) == 0 }
