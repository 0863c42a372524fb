package fakeintake

import "encoding/binary"

// Reason is why a server wants a connection to end: an HTTP/2 error code and a
// text that clients look at.
type Reason struct {
	Code uint32
	Text string
}

// What grpc-go's server says when a connection is old enough, and when a client
// pings too often (version 1.85).
var (
	MaxAge       = Reason{0, "max_age"}
	TooManyPings = Reason{11, "too_many_pings"}
)

// HTTP/2 frames (RFC 9113, sections 4.1, 6.2, 6.8 and 6.10).
const (
	frameHead         = 9
	frameHeaders      = 1
	frameGoAway       = 7
	frameContinuation = 9
	flagEndHeaders    = 4
	lastStream        = 1<<31 - 1
)

// frame is the GOAWAY frame for r, which lets every open stream go on.
func (r Reason) frame() []byte {
	size := uint32(8 + len(r.Text))
	b := []byte{byte(size >> 16), byte(size >> 8), byte(size), frameGoAway, 0, 0, 0, 0, 0}
	b = binary.BigEndian.AppendUint32(b, lastStream)
	b = binary.BigEndian.AppendUint32(b, r.Code)
	return append(b, r.Text...)
}

// frames follows the frames of what a server sends.
type frames struct {
	head [frameHead]byte
	have int // bytes of head
	rest int // bytes of the frame's payload that are still to come
}

// border says whether another frame may be put in here: not inside of one, nor
// of a header block.
func (f *frames) border() bool {
	if f.rest > 0 || f.have > 0 && f.have < frameHead {
		return false
	}
	block := f.have == frameHead && (f.head[3] == frameHeaders || f.head[3] == frameContinuation)
	return !block || f.head[4]&flagEndHeaders != 0
}

// next advances to the end of the frame at hand, or of data, and returns how many
// bytes that are.
func (f *frames) next(data []byte) int {
	used := 0
	if f.rest == 0 {
		if f.have == frameHead {
			f.have = 0
		}
		used = copy(f.head[f.have:], data)
		if f.have += used; f.have < frameHead {
			return used
		}
		f.rest = int(f.head[0])<<16 | int(f.head[1])<<8 | int(f.head[2])
	}
	n := min(f.rest, len(data)-used)
	f.rest -= n
	return used + n
}

// skip advances over all of data.
func (f *frames) skip(data []byte) {
	for len(data) > 0 {
		data = data[f.next(data):]
	}
}
