package spool

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	segmentMagic      = 0x316c6f6f70736776 // "vgspool1"
	segmentHeaderSize = 64
	segmentDropped    = 1
	segmentSuffix     = ".seg"
)

// segment is what is known about one file of the log.
type segment struct {
	path string
	salt uint32
	// first is the number of its first batch, start counts what is before it.
	first uint64
	start count
	// last is the number of its last batch, first-1 without one; end counts up to
	// and with it.
	last uint64
	end  count
	size int64
	// dropped segments have no frames: their batches were dropped and counted.
	dropped bool
}

func segmentName(first uint64, salt uint32) string {
	return fmt.Sprintf("%016x-%08x%s", first, salt, segmentSuffix)
}

func parseSegmentName(name string) (first uint64, salt uint32, ok bool) {
	if n, err := fmt.Sscanf(name, "%016x-%08x", &first, &salt); n != 2 || err != nil {
		return 0, 0, false
	}
	return first, salt, first > 0 && name == segmentName(first, salt)
}

// appendHeader appends the first bytes of the file.
func (s *segment) appendHeader(dst []byte) []byte {
	from := len(dst)
	dst = binary.LittleEndian.AppendUint64(dst, segmentMagic)
	flags, last, end := uint32(0), uint64(0), count{}
	if s.dropped {
		flags, last, end = segmentDropped, s.last, s.end
	}
	dst = binary.LittleEndian.AppendUint32(dst, flags)
	for _, v := range [...]uint64{s.first, s.start.lines, s.start.bytes, last, end.lines, end.bytes} {
		dst = binary.LittleEndian.AppendUint64(dst, v)
	}
	return binary.LittleEndian.AppendUint32(dst, crc32.Update(s.salt, castagnoli, dst[from:]))
}

// readHeader takes over what the first bytes of the file say, if they are intact.
func (s *segment) readHeader(src []byte) bool {
	if len(src) < segmentHeaderSize || binary.LittleEndian.Uint64(src) != segmentMagic ||
		binary.LittleEndian.Uint32(src[60:]) != crc32.Update(s.salt, castagnoli, src[:60]) {
		return false
	}
	u := func(at int) uint64 { return binary.LittleEndian.Uint64(src[at:]) }
	if u(12) != s.first {
		return false
	}
	s.start = count{u(20), u(28)}
	s.last, s.end = s.first-1, s.start
	if binary.LittleEndian.Uint32(src[8:])&segmentDropped != 0 && u(36) >= s.first {
		s.dropped, s.last, s.end = true, u(36), count{u(44), u(52)}
	}
	return true
}

// newSegment makes the file of a segment that begins with number first.
func newSegment(fsys files, dir string, first uint64, start count) (*segment, file, error) {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	s := &segment{salt: binary.LittleEndian.Uint32(random[:]), first: first, start: start, last: first - 1, end: start, size: segmentHeaderSize}
	s.path = filepath.Join(dir, segmentName(first, s.salt))
	f, err := fsys.create(s.path)
	if err != nil {
		return nil, nil, err
	}
	if _, err := f.WriteAt(s.appendHeader(nil), 0); err != nil {
		_ = f.Close()
		_ = os.Remove(s.path) // what cannot be written can be removed, or is skipped as empty
		return nil, nil, err
	}
	return s, f, nil
}

// drop turns the file into one that only says which batches are gone. It takes
// no room, so it works on a full disk.
func (s *segment) drop() error {
	s.dropped = true
	f, err := os.OpenFile(s.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if _, err := f.WriteAt(s.appendHeader(nil), 0); err != nil {
		return err
	}
	s.size = segmentHeaderSize
	return f.Truncate(segmentHeaderSize)
}

// tail is how the frames of a segment end.
type tail struct {
	// at is the offset after the last frame, size that of the file.
	at, size int64
	// odd says that what follows at cannot be the beginning of a frame.
	odd bool
}

// scan finds out what the file of a segment holds below number limit, without
// reading the bodies.
func (s *segment) scan(f io.ReaderAt, size int64, limit uint64) (tail, error) {
	s.size = size
	var head [segmentHeaderSize]byte
	s.last = s.first - 1
	whole := true
	if n, err := f.ReadAt(head[:], 0); err == nil || n > 0 {
		whole = s.readHeader(head[:n])
	}
	t := tail{at: min(segmentHeaderSize, size), size: size}
	if s.dropped {
		return t, nil
	}
	for {
		at, h, ok, err := nextFrame(f, head[:], t.at, size, s.salt, s.last+1)
		if err != nil {
			return tail{}, err
		}
		if !ok || h.seq >= limit {
			t.odd = oddTail(f, t.at, size, s.salt)
			s.size = t.at
			return t, nil
		}
		if !whole {
			s.start, whole = h.before, true
		}
		s.last, s.end, t.at = h.seq, h.after(), at+h.size()
	}
}

// oddTail says whether bytes at the end are something else than the beginning of
// a frame whose rest was not written.
func oddTail(f io.ReaderAt, at, size int64, salt uint32) bool {
	var head [frameHeaderSize]byte
	if size-at < frameHeaderSize {
		return false
	}
	if _, err := f.ReadAt(head[:], at); err != nil {
		return true
	}
	h, ok := parseFrame(head[:], salt)
	return !ok || at+h.size() <= size
}

var frameMagicBytes = binary.LittleEndian.AppendUint32(nil, frameMagic)

// searchBytes is how much is read at once when a frame must be looked for.
const searchBytes = 64 << 10

// nextFrame finds the first frame at or after at, in a file of the given size,
// whose number is seq or higher. It is at at unless bytes are corrupt. head is memory
// for a header.
func nextFrame(f io.ReaderAt, head []byte, at, size int64, salt uint32, seq uint64) (int64, frame, bool, error) {
	fits := func(at int64, src []byte) (frame, bool) {
		h, ok := parseFrame(src, salt)
		return h, ok && h.seq >= seq && at+h.size() <= size
	}
	if size-at < frameHeaderSize {
		return 0, frame{}, false, nil
	}
	head = head[:frameHeaderSize]
	if _, err := f.ReadAt(head, at); err != nil {
		return 0, frame{}, false, err
	}
	if h, ok := fits(at, head); ok {
		return at, h, true, nil
	}
	buf := make([]byte, searchBytes)
	for at++; size-at >= frameHeaderSize; {
		chunk := buf[:min(int64(len(buf)), size-at)]
		if _, err := f.ReadAt(chunk, at); err != nil {
			return 0, frame{}, false, err
		}
		for i := 0; i+frameHeaderSize <= len(chunk); i++ {
			skip := bytes.Index(chunk[i:], frameMagicBytes)
			if skip < 0 {
				break
			}
			i += skip
			if h, ok := fits(at+int64(i), chunk[i:]); ok {
				return at + int64(i), h, true, nil
			}
		}
		// Again with the last bytes, in which a header may have begun.
		at += int64(len(chunk)) - frameHeaderSize + 1
	}
	return 0, frame{}, false, nil
}

// listSegments finds the segments in dir, by number.
func listSegments(dir string) ([]*segment, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []*segment
	for _, e := range entries {
		if first, salt, ok := parseSegmentName(e.Name()); ok && e.Type().IsRegular() {
			out = append(out, &segment{path: filepath.Join(dir, e.Name()), first: first, salt: salt})
		}
	}
	slices.SortFunc(out, func(a, b *segment) int { return strings.Compare(a.path, b.path) })
	return out, nil
}

// files makes segment files; tests make disks fail with it.
type files interface {
	create(path string) (file, error)
}

// file is what a segment is written with.
type file interface {
	io.WriterAt
	io.Closer
	Sync() error
	Truncate(size int64) error
}

// osFiles is the real disk.
type osFiles struct{}

func (osFiles) create(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

type osFile struct{ *os.File }

// Sync leaves the times of the file to the kernel: its bytes and its size are what
// is read again.
func (f osFile) Sync() error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		for failed = unix.Fdatasync(int(fd)); errors.Is(failed, unix.EINTR); {
			failed = unix.Fdatasync(int(fd))
		}
	})
	switch {
	case err != nil:
		return os.ErrClosed // nothing else keeps Control from its work
	case failed != nil:
		return &os.PathError{Op: "sync", Path: f.Name(), Err: failed}
	}
	return nil
}
