package spool

import (
	"encoding/binary"
	"hash/crc32"
)

const (
	frameMagic      = 0x4c4f5056 // "VPOL"
	frameHeaderSize = 48
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// frame is the header of one batch on disk.
type frame struct {
	length uint32 // of the body
	seq    uint64
	// before counts the batches before this one, size this one.
	before count
	lines  uint32
	bytes  uint32
	crc    uint32 // of the body
}

// count is an amount of log lines and of their message bytes.
type count struct{ lines, bytes uint64 }

func (c count) sub(d count) count { return count{c.lines - d.lines, c.bytes - d.bytes} }

// after counts up to and with the batch.
func (f *frame) after() count {
	return count{f.before.lines + uint64(f.lines), f.before.bytes + uint64(f.bytes)}
}

// size is what the frame takes on disk.
func (f *frame) size() int64 { return frameHeaderSize + int64(f.length) }

// put writes the header into dst, which has room for it.
func (f *frame) put(dst []byte, salt uint32) {
	binary.LittleEndian.PutUint32(dst, frameMagic)
	binary.LittleEndian.PutUint32(dst[4:], f.length)
	binary.LittleEndian.PutUint64(dst[8:], f.seq)
	binary.LittleEndian.PutUint64(dst[16:], f.before.lines)
	binary.LittleEndian.PutUint64(dst[24:], f.before.bytes)
	binary.LittleEndian.PutUint32(dst[32:], f.lines)
	binary.LittleEndian.PutUint32(dst[36:], f.bytes)
	binary.LittleEndian.PutUint32(dst[40:], f.crc)
	binary.LittleEndian.PutUint32(dst[44:], crc32.Update(salt, castagnoli, dst[:44]))
}

// parseFrame reads a header and says whether it is one.
func parseFrame(src []byte, salt uint32) (f frame, ok bool) {
	if len(src) < frameHeaderSize || binary.LittleEndian.Uint32(src) != frameMagic ||
		binary.LittleEndian.Uint32(src[44:]) != crc32.Update(salt, castagnoli, src[:44]) {
		return frame{}, false
	}
	return frame{
		length: binary.LittleEndian.Uint32(src[4:]),
		seq:    binary.LittleEndian.Uint64(src[8:]),
		before: count{binary.LittleEndian.Uint64(src[16:]), binary.LittleEndian.Uint64(src[24:])},
		lines:  binary.LittleEndian.Uint32(src[32:]),
		bytes:  binary.LittleEndian.Uint32(src[36:]),
		crc:    binary.LittleEndian.Uint32(src[40:]),
	}, true
}
