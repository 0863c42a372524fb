package spool

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	markName     = "mark"
	markMagic    = 0x4b4d5056 // "VPMK"
	markSize     = 52
	markSlot     = 512 // one sector each, so that one write cannot damage both
	markClean    = 1
	markAllSync  = 2
	markFileSize = 2 * markSlot
)

// mark says what is acknowledged.
type mark struct {
	flags uint32
	count uint64 // of writes; the higher one is the later one
	seq   uint64
	upto  count
	boot  uint64
}

// append appends the encoded mark.
func (m *mark) append(dst []byte) []byte {
	from := len(dst)
	dst = binary.LittleEndian.AppendUint32(dst, markMagic)
	dst = binary.LittleEndian.AppendUint32(dst, m.flags)
	for _, v := range [...]uint64{m.count, m.seq, m.upto.lines, m.upto.bytes, m.boot} {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[from:], castagnoli))
}

func parseMark(src []byte) (m mark, ok bool) {
	if len(src) < markSize || binary.LittleEndian.Uint32(src) != markMagic ||
		binary.LittleEndian.Uint32(src[markSize-4:]) != crc32.Checksum(src[:markSize-4], castagnoli) {
		return mark{}, false
	}
	u := func(at int) uint64 { return binary.LittleEndian.Uint64(src[at:]) }
	return mark{flags: binary.LittleEndian.Uint32(src[4:]), count: u(8), seq: u(16), upto: count{u(24), u(32)}, boot: u(40)}, true
}

// markFile is where the mark is kept. It has its size from the beginning, so that
// a full disk does not keep acknowledgements from being noted.
type markFile struct {
	file *os.File
	mark mark
	buf  []byte
}

// openMark reads the mark in dir; known is false when there is none.
func openMark(dir string) (m *markFile, known bool, err error) {
	path := filepath.Join(dir, markName)
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false, fmt.Errorf("open spool mark: %w", err)
	}
	data := make([]byte, markFileSize)
	if _, err := f.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, false, errors.Join(fmt.Errorf("read spool mark: %w", err), f.Close())
	}
	m = &markFile{file: f}
	for _, slot := range [][]byte{data[:markSlot], data[markSlot:]} {
		if got, ok := parseMark(slot); ok && (!known || got.count > m.mark.count) {
			m.mark, known = got, true
		}
	}
	if info, err := f.Stat(); err != nil || info.Size() < markFileSize {
		// Written rather than truncated to, so that it has its blocks.
		if _, err := f.WriteAt(data, 0); err != nil {
			return nil, false, errors.Join(fmt.Errorf("write spool mark: %w", err), f.Close())
		}
	}
	return m, known, nil
}

// write notes the mark in the slot that holds the older one.
func (m *markFile) write() error {
	m.mark.count++
	m.buf = m.mark.append(m.buf[:0])
	if _, err := m.file.WriteAt(m.buf, int64(m.mark.count%2)*markSlot); err != nil {
		return fmt.Errorf("write spool mark: %w", err)
	}
	return nil
}

// bootID identifies the run of the kernel: what it has taken is lost with it, and
// only with it. It is 0 where the kernel does not tell.
func bootID() uint64 {
	text, err := fs.ReadFile(os.DirFS("/proc/sys/kernel/random"), "boot_id")
	if err != nil {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write(text) // never fails
	return h.Sum64()
}
