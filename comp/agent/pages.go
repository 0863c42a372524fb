package agent

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// pages is a range of addresses.
type pages struct{ start, end uintptr }

// giveBackFile unmaps the pages of the agent's own file, most of which are not
// used again (the kernel maps sixteen around each one that is touched). They are
// clean, so they are read again from the page cache where they are needed.
func giveBackFile() error {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return fmt.Errorf("list the mappings: %w", err)
	}
	defer maps.Close() //nolint:errcheck // read only
	executable, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return fmt.Errorf("find the executable: %w", err)
	}
	mappings, err := readOnly(maps, executable)
	if err != nil {
		return fmt.Errorf("list the mappings: %w", err)
	}
	pagemap, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return fmt.Errorf("list the pages: %w", err)
	}
	defer pagemap.Close() //nolint:errcheck // read only
	size := uintptr(os.Getpagesize())
	var errs []error
	for _, m := range mappings {
		entries := make([]byte, (m.end-m.start)/size*8)
		if _, err := pagemap.ReadAt(entries, int64(m.start/size*8)); err != nil {
			return errors.Join(append(errs, fmt.Errorf("list the pages of %x-%x: %w", m.start, m.end, err))...)
		}
		for _, p := range clean(entries) {
			start, length := m.start+p.start*size, (p.end-p.start)*size
			if _, _, errno := unix.Syscall(unix.SYS_MADVISE, start, length, unix.MADV_DONTNEED); errno != 0 {
				errs = append(errs, fmt.Errorf("give back %x-%x: %w", start, start+length, errno))
			}
		}
	}
	return errors.Join(errs...)
}

// readOnly reads /proc/self/maps and returns the mappings of file that cannot be
// written.
func readOnly(maps io.Reader, file string) (out []pages, err error) {
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		var (
			m           pages
			permissions string
		)
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s", &m.start, &m.end, &permissions); err != nil {
			return nil, fmt.Errorf("%q: %w", lines.Text(), err)
		}
		if !strings.Contains(permissions, "w") && strings.HasSuffix(lines.Text(), " "+file) {
			out = append(out, m)
		}
	}
	return out, lines.Err()
}

// clean reads entries of /proc/self/pagemap and returns, by their numbers, the pages
// that are in memory and still those of the file. Others have been written: addresses
// that the loader of a position-independent executable corrected, code with a probe.
func clean(entries []byte) (out []pages) {
	const inMemory, ofFile = 1 << 63, 1 << 61 // Documentation/admin-guide/mm/pagemap.rst
	for i := range uintptr(len(entries) / 8) {
		if e := binary.NativeEndian.Uint64(entries[i*8:]); e&inMemory == 0 || e&ofFile == 0 {
			continue
		}
		if last := len(out) - 1; last >= 0 && out[last].end == i {
			out[last].end++
		} else {
			out = append(out, pages{i, i + 1})
		}
	}
	return out
}
