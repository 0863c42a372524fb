package columns

import "bytes"

// recent is the values that were last coded in full, in whatever column: the
// identifier of a request, say, that other lines have too. A value is found there
// by its place relative to the one found before, because columns of a batch often
// repeat each other in order.
type recent struct {
	ring [][]byte
	next int // the place that is written next, once the ring is full
	last int // the place found before
	step number

	table []uint16 // encoding: places plus 1 by hash
}

const (
	recentValues = 1 << 11
	recentTable  = 4 * recentValues
	minRecent    = 8 // bytes of a value
	maxRecent    = 64
	// minRecentDigits is how many digits take more than a place in the ring.
	minRecentDigits = 7
	recentBytes     = 24 + maxRecent
)

// find is the place of a value, or -1.
func (r *recent) find(v []byte, c *choice) int {
	if len(v) < minRecent || len(v) > maxRecent || len(r.table) == 0 {
		return -1
	}
	at := int(r.table[c.hashOf(v)%recentTable]) - 1
	if at < 0 || !bytes.Equal(r.ring[at], v) {
		return -1
	}
	return at
}

// recentValue codes a value that the ring holds. Decoding, it is appended to dst,
// because the ring changes.
func (s *state) recentValue(at int, v, dst []byte) (value, rest []byte) {
	r := &s.recent
	at = r.last + int(s.number(&r.step, int64(at-r.last)))
	if at < 0 || at >= len(r.ring) {
		s.fail("no recent value there")
		return nil, dst
	}
	r.last = at
	if s.encoding {
		return v, dst
	}
	from := len(dst)
	dst = append(dst, r.ring[at]...)
	return dst[from:len(dst):len(dst)], dst
}

// remember puts a value in the ring.
func (s *state) remember(v []byte, c *choice) {
	r := &s.recent
	if len(v) < minRecent || len(v) > maxRecent {
		return
	}
	at := r.next
	switch {
	case len(r.ring) < recentValues && s.allow(recentBytes):
		at = len(r.ring)
		r.ring = append(r.ring, take(&s.pool, &s.pool.bytes, maxRecent))
	case len(r.ring) == 0:
		return
	default:
		r.next = (at + 1) % len(r.ring)
	}
	r.ring[at] = append(r.ring[at][:0], v...)
	if s.encoding {
		if r.table == nil {
			r.table = make([]uint16, recentTable)
		}
		r.table[c.hashOf(v)%recentTable] = uint16(at + 1)
	}
}
