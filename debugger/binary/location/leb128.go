package location

// reader takes values off the front of a slice; bad is set, and zeros are
// returned, once it has run out.
type reader struct {
	buf []byte
	bad bool
}

func (r *reader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.buf)) {
		r.bad = true
		return nil
	}
	b := r.buf[:n]
	r.buf = r.buf[n:]
	return b
}

func (r *reader) fixed(n uint64) (v uint64) {
	for i, b := range r.take(n) {
		v |= uint64(b) << (8 * i)
	}
	return v
}

func (r *reader) byte() byte { return byte(r.fixed(1)) }

func (r *reader) uleb() (v uint64) {
	for shift := uint(0); ; shift += 7 {
		b := r.byte()
		if r.bad || shift > 63 {
			r.bad = true
			return 0
		}
		v |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
}

func (r *reader) sleb() (v int64) {
	for shift := uint(0); ; shift += 7 {
		b := r.byte()
		if r.bad || shift > 63 {
			r.bad = true
			return 0
		}
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if shift += 7; shift < 64 && b&0x40 != 0 {
				v |= -1 << shift
			}
			return v
		}
	}
}
