package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

// The numbers of the layout; doc.go has the picture.
const (
	// Version is the layout this package reads and writes.
	Version = 3

	headerSize = 80
	itemSize   = 16
	align      = 8

	flagIncomplete = 1 << 0
	flagMore       = 1 << 1
	sequenceShift  = 8
	sequenceMask   = 0xff

	typeBits = 27
	typeMask = 1<<typeBits - 1
)

// ErrMalformed is wrapped by every error of Parse.
var ErrMalformed = errors.New("malformed event")

// Parse reads the event at the start of buf into e, whose storage it reuses. buf
// may be longer than the event; of one in several fragments it is the first,
// and the event is incomplete (see Assembler). The slices of e point into buf, except Stack,
// which is a copy.
//
// On an error, which wraps ErrMalformed and names the offset, e is empty.
func Parse(buf []byte, e *Event) error {
	e.Reset()
	if err := e.parse(buf); err != nil {
		e.Reset()
		return err
	}
	return nil
}

func (e *Event) parse(buf []byte) error {
	buf, err := frame(buf)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	frames := int(le.Uint16(buf[6:]))
	e.Probe, e.Site = le.Uint32(buf[8:]), le.Uint32(buf[12:])
	e.PID, e.TID, e.Target = le.Uint32(buf[16:]), le.Uint32(buf[20:]), le.Uint32(buf[24:])
	e.Incomplete = le.Uint32(buf[28:])&(flagIncomplete|flagMore) != 0
	e.GoID, e.Ktime = le.Uint64(buf[32:]), le.Uint64(buf[40:])
	e.StackID, e.PC, e.Depth, e.CPU = le.Uint64(buf[48:]), le.Uint64(buf[56:]), le.Uint32(buf[64:]), le.Uint32(buf[68:])
	e.EntryKtime = le.Uint64(buf[72:])

	pos := headerSize
	if len(buf)-pos < 8*frames {
		return malformed(6, "%d program counters do not fit %d bytes", frames, len(buf)-pos)
	}
	for range frames {
		e.Stack = append(e.Stack, le.Uint64(buf[pos:]))
		pos += 8
	}
	for pos < len(buf) {
		n, err := e.parseItem(buf, pos)
		if err != nil {
			return err
		}
		pos = n
	}
	return nil
}

// frame checks the start of a record and cuts it to its length.
func frame(buf []byte) ([]byte, error) {
	if len(buf) < headerSize {
		return nil, malformed(len(buf), "%d bytes are fewer than the header's %d", len(buf), headerSize)
	}
	le := binary.LittleEndian
	length := le.Uint32(buf)
	if uint64(length) > uint64(len(buf)) || length < headerSize || length%align != 0 {
		return nil, malformed(0, "length %d does not fit a record of %d bytes", length, len(buf))
	}
	if v := le.Uint16(buf[4:]); v != Version {
		return nil, malformed(4, "layout version %d is not %d: the kernel program and this reader come from different builds", v, Version)
	}
	return buf[:length], nil
}

// parseItem reads the item at pos and returns where the next one starts.
func (e *Event) parseItem(buf []byte, pos int) (int, error) {
	if len(buf)-pos < itemSize {
		return 0, malformed(pos, "%d bytes are fewer than an item's header", len(buf)-pos)
	}
	le := binary.LittleEndian
	word, size, addr := le.Uint32(buf[pos:]), le.Uint32(buf[pos+4:]), le.Uint64(buf[pos+8:])
	data := pos + itemSize
	if uint64(size) > uint64(len(buf)-data) {
		return 0, malformed(pos+4, "an item of %d bytes does not fit the %d left", size, len(buf)-data)
	}
	// The event's length and every offset are multiples of 8, so the padding
	// of an item that fits, fits.
	next := data + (int(size)+align-1)&^(align-1)
	item := Item{Type: gotype.ID(word & typeMask), Reason: Reason(word >> typeBits), Addr: addr}
	if item.Reason > MaxReason {
		return 0, malformed(pos, "reason %d is not known", item.Reason)
	}
	if item.Type == 0 && len(e.Items) > 0 {
		if size != 0 {
			return 0, malformed(pos+4, "a hole of the root has %d bytes of data", size)
		}
		e.holes = append(e.holes, hole{offset: uint32(addr & math.MaxUint32), size: uint32(addr >> 32)})
		return next, nil
	}
	if item.Type != 0 && len(e.Items) == 0 {
		return 0, malformed(pos, "the first item has type %d, not the root's 0", item.Type)
	}
	item.Data = buf[data : data+int(size) : data+int(size)]
	e.Items = append(e.Items, item)
	return next, nil
}

func malformed(offset int, format string, args ...any) error {
	return fmt.Errorf("%w at byte %d: %s", ErrMalformed, offset, fmt.Sprintf(format, args...))
}
