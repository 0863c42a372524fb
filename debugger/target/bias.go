package target

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// LoadBias is the distance from link-time to run-time addresses in a process:
// 0 unless its executable is position-independent. linked gives the link-time
// address of the code at a file offset (binary.Binary.Address).
func (p Process) LoadBias(linked func(fileOffset uint64) (addr uint64, ok bool)) (uint64, error) {
	maps, err := os.ReadFile(procFile(p.PID, "maps"))
	if err != nil {
		return 0, fmt.Errorf("pid %d: find where the executable is loaded: %w", p.PID, classify(err))
	}
	bias, ok := loadBias(maps, p.Exe, linked)
	if !ok {
		return 0, fmt.Errorf("pid %d: no code of %s is mapped", p.PID, p.Exe)
	}
	return bias, nil
}

// loadBias finds the first executable mapping of a file in the text of
// /proc/PID/maps (proc_pid_maps(5)):
//
//	55d0c8a00000-55d0c8b50000 r-xp 00002000 fd:00 1234   /usr/bin/shop
func loadBias(maps []byte, exe string, linked func(uint64) (uint64, bool)) (uint64, bool) {
	for line := range bytes.Lines(maps) {
		fields := strings.SplitN(strings.TrimRight(string(line), "\n"), " ", 6)
		if len(fields) < 6 || !strings.Contains(fields[1], "x") || unescape(strings.TrimLeft(fields[5], " ")) != exe {
			continue
		}
		from, _, _ := strings.Cut(fields[0], "-")
		start, err := strconv.ParseUint(from, 16, 64)
		if err != nil {
			continue
		}
		offset, err := strconv.ParseUint(fields[2], 16, 64)
		if err != nil {
			continue
		}
		if addr, ok := linked(offset); ok {
			return start - addr, true
		}
	}
	return 0, false
}

// unescape undoes the one escape of a path in maps: a line end is written \012.
func unescape(path string) string { return strings.ReplaceAll(path, `\012`, "\n") }
