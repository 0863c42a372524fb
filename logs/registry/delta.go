package registry

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"strconv"
)

// maxDeltaBytes is how large the delta may become before the registry file is
// written early: a second of many busy files.
const maxDeltaBytes = 256 << 10

// delta is a file beside the registry file with the offsets that have moved since
// that was written. It is written at once and never synced, so it is there after
// everything but a power cut: a killed process repeats what was not released, and
// not what it released in the last second.
//
// A line has the generation of the registry file after whose writing it was
// appended, be it that the write failed. Lines from before the file on disk are in it
// already: an identity that was forgotten and given again since must not get their
// offsets.
type delta struct {
	file *os.File
	// generation is that of the registry file on disk, or a later one of a write
	// that failed: nobody knows how far that came.
	generation uint64
	size       int
	// full says that nothing more is appended before the registry file is written:
	// there is no room, or the end may be torn.
	full bool
	buf  []byte
}

// appendMove appends the line of one offset: its checksum, the generation, the file's
// identity, the offset.
func appendMove(dst []byte, generation uint64, id string, offset int64) []byte {
	const sum = 2 * crc32.Size
	from := len(dst)
	dst = append(dst, "00000000 "...)
	dst = append(strconv.AppendUint(dst, generation, 10), ' ')
	dst = append(dst, id...)
	dst = strconv.AppendInt(append(dst, ' '), offset, 10)
	dst = append(dst, '\n')
	var raw [crc32.Size]byte
	binary.BigEndian.PutUint32(raw[:], crc32.ChecksumIEEE(dst[from+sum+1:]))
	hex.Encode(dst[from:from+sum], raw[:])
	return dst
}

// readMoves is the highest offset of each file in text; lines that are torn, damaged
// or of an earlier generation are left out.
func readMoves(text []byte, generation uint64) map[string]int64 {
	moves := map[string]int64{}
	for line := range bytes.Lines(text) {
		sum, body, _ := bytes.Cut(line, []byte{' '})
		want, err := strconv.ParseUint(string(sum), 16, 32)
		if err != nil || len(sum) != 8 || uint32(want) != crc32.ChecksumIEEE(body) {
			continue
		}
		of, body, _ := bytes.Cut(body, []byte{' '})
		at := bytes.LastIndexByte(body, ' ')
		if of, err := strconv.ParseUint(string(of), 10, 64); at < 0 || err != nil || of < generation {
			continue
		}
		id := string(body[:at])
		offset, err := strconv.ParseInt(string(bytes.TrimSuffix(body[at+1:], []byte{'\n'})), 10, 64)
		if err == nil && offset > moves[id] {
			moves[id] = offset
		}
	}
	return moves
}

// openDelta opens the delta at path and applies it to the entries; moved says that
// it was ahead of one. Identities that are not among them are of files that were
// forgotten. What it holds stays until clear.
func openDelta(path string, generation uint64, entries []Entry) (d delta, moved bool, err error) {
	d.generation = generation
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d, false, fmt.Errorf("read the latest offsets: %w", err)
	}
	moves := readMoves(text, generation)
	for i := range entries {
		if at := moves[entries[i].ID]; at > entries[i].Offset {
			entries[i].Offset, moved = at, true
		}
	}
	d.full = true // its end may be torn
	if d.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600); err != nil {
		return d, false, fmt.Errorf("open the latest offsets: %w", err)
	}
	return d, moved, nil
}

// add appends what buf holds.
func (d *delta) add() {
	if d.full || len(d.buf) == 0 {
		return
	}
	n, err := d.file.Write(d.buf)
	d.size += n
	d.full = err != nil || d.size >= maxDeltaBytes
}

// clear forgets what the registry file has by now.
func (d *delta) clear() error {
	if d.size > 0 || d.full {
		if err := d.file.Truncate(0); err != nil {
			d.full = true
			return fmt.Errorf("forget the latest offsets: %w", err)
		}
	}
	d.size, d.full = 0, false
	return nil
}

// collect puts what has moved into the buffer. The caller holds writing and mu.
func (r *Registry) collect() {
	r.delta.buf = r.delta.buf[:0]
	for _, f := range r.moved {
		r.delta.buf = appendMove(r.delta.buf, r.delta.generation, f.ID, f.Offset)
		f.moved = false
	}
	clear(r.moved)
	r.moved = r.moved[:0]
}

// follow saves the offsets that have moved since the last call. It says whether
// the registry file is to be written now: there is a file that it does not know,
// or the delta takes no more.
func (r *Registry) follow() (write bool) {
	r.writing.Lock()
	defer r.writing.Unlock()
	r.mu.Lock()
	fresh := r.fresh
	r.collect()
	r.mu.Unlock()
	r.delta.add()
	return fresh || r.delta.full
}
