package snapshot

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Frame is one line of a stack.
type Frame struct {
	Function string
	File     string
	Line     int
}

// Symbolizer turns the code addresses of one process into frames.
type Symbolizer interface {
	// Frames appends the frames of a run-time address, innermost first: more
	// than one where functions were inlined, none when it is unknown.
	Frames(pc uint64, dst []Frame) []Frame
}

// TypeNamer is a Symbolizer that also names types, by their distance from
// runtime.types, for values of interfaces that the plan does not know.
type TypeNamer interface {
	TypeName(offset uint64) (name string, ok bool)
}

// maxStackBytes bounds the JSON of a stack; see maxCaptureBytes.
const maxStackBytes = 96 << 10

// symbolize fills frames from the program counters of the event. All but the
// first are return addresses: one byte back lies in the call.
func (s *Snapshot) symbolize(pcs []uint64, symbols Symbolizer) {
	s.frames, s.pcs = s.frames[:0], s.pcs[:0]
	for i, pc := range pcs {
		n := len(s.frames)
		if symbols != nil {
			s.frames = symbols.Frames(pc-uint64(min(i, 1)), s.frames)
		}
		if len(s.frames) == n {
			s.frames = append(s.frames, Frame{})
		}
		for len(s.pcs) < len(s.frames) {
			s.pcs = append(s.pcs, pc)
		}
	}
}

// function is the name of a frame: its address when it has no symbol. The
// result is valid until the next call.
func (s *Snapshot) function(frame int) []byte {
	s.scratch = append(s.scratch[:0], s.frames[frame].Function...)
	if len(s.scratch) == 0 {
		s.scratch = appendHex(s.scratch, s.pcs[frame])
	}
	return s.scratch
}

// symbol is the name of the function whose code starts at an address, or the
// address. The result is valid until the next call.
func (s *Snapshot) symbol(pc uint64) []byte {
	s.scratch = s.scratch[:0]
	if s.process.Symbols != nil {
		// What is inlined at the start comes before the function itself.
		s.symbols = s.process.Symbols.Frames(pc, s.symbols[:0])
		if n := len(s.symbols); n > 0 {
			s.scratch = append(s.scratch, s.symbols[n-1].Function...)
		}
	}
	if len(s.scratch) == 0 {
		s.scratch = appendHex(s.scratch, pc)
	}
	return s.scratch
}

func (s *Snapshot) appendStack(dst []byte) []byte {
	dst = append(dst, '[')
	start := len(dst)
	for i, f := range s.frames {
		if len(dst)-start > maxStackBytes {
			break
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		dst, _ = jsontext.AppendQuote(append(dst, `{"function":`...), s.function(i))
		dst = s.appendString(append(dst, `,"fileName":`...), f.File)
		dst = append(dst, `,"lineNumber":`...)
		dst = append(strconv.AppendInt(dst, int64(f.Line), 10), '}')
	}
	return append(dst, ']')
}

// appendString quotes a string; the copy keeps the conversion from allocating.
func (s *Snapshot) appendString(dst []byte, text string) []byte {
	s.scratch = append(s.scratch[:0], text...)
	dst, _ = jsontext.AppendQuote(dst, s.scratch)
	return dst
}
