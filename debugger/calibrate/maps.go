package calibrate

import (
	"bytes"
	"fmt"
)

// fileOffset is where an address is in its file, by the text of
// /proc/self/maps.
func fileOffset(maps []byte, addr uint64) (off uint64, ok bool) {
	for line := range bytes.Lines(maps) {
		var low, high, at uint64
		var perms string
		if _, err := fmt.Sscanf(string(line), "%x-%x %s %x", &low, &high, &perms, &at); err != nil {
			continue
		}
		if low <= addr && addr < high {
			return addr - low + at, true
		}
	}
	return 0, false
}
