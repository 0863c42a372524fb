package event

import "encoding/binary"

// Append appends the event to dst in the layout Parse reads. The kernel program
// is the product's only producer; this is for tests and recorded fixtures.
func Append(dst []byte, e *Event) []byte {
	start := len(dst)
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, 0) // length, known at the end
	dst = le.AppendUint16(dst, Version)
	dst = le.AppendUint16(dst, uint16(len(e.Stack)))
	var flags uint32
	if e.Incomplete {
		flags |= flagIncomplete
	}
	for _, v := range [...]uint32{e.Probe, e.Site, e.PID, e.TID, e.Target, flags} {
		dst = le.AppendUint32(dst, v)
	}
	dst = le.AppendUint64(dst, e.GoID)
	dst = le.AppendUint64(dst, e.Ktime)
	dst = le.AppendUint64(dst, e.StackID)
	dst = le.AppendUint64(dst, e.PC)
	dst = le.AppendUint32(dst, e.Depth)
	dst = le.AppendUint32(dst, e.CPU)
	dst = le.AppendUint64(dst, e.EntryKtime)
	for _, pc := range e.Stack {
		dst = le.AppendUint64(dst, pc)
	}
	for i, item := range e.Items {
		dst = appendItem(dst, item)
		if i > 0 {
			continue
		}
		for _, h := range e.holes {
			dst = appendItem(dst, Item{Reason: ReasonUnavailable, Addr: uint64(h.size)<<32 | uint64(h.offset)})
		}
	}
	le.PutUint32(dst[start:], uint32(len(dst)-start))
	return dst
}

func appendItem(dst []byte, item Item) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, uint32(item.Type)&typeMask|uint32(item.Reason)<<typeBits)
	dst = le.AppendUint32(dst, uint32(len(item.Data)))
	dst = le.AppendUint64(dst, item.Addr)
	dst = append(dst, item.Data...)
	for n := len(item.Data); n%align != 0; n++ {
		dst = append(dst, 0)
	}
	return dst
}
