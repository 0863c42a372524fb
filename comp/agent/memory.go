package agent

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// giveBack returns to the kernel what only the start needed: the heap's free
// pages, and those of the agent's own file.
func giveBack() error {
	debug.FreeOSMemory()
	return giveBackFile()
}

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
	var errs []error
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		start, end, ok := cleanMapping(lines.Text(), executable)
		if !ok {
			continue
		}
		if _, _, errno := unix.Syscall(unix.SYS_MADVISE, start, end-start, unix.MADV_DONTNEED); errno != 0 {
			errs = append(errs, fmt.Errorf("give back %x-%x: %w", start, end, errno))
		}
	}
	return errors.Join(errs...)
}

// cleanMapping reads a line of /proc/self/maps and says where the mapping is,
// if it is one of the file and cannot be written: only such pages are the same
// when they are read again.
func cleanMapping(line, file string) (start, end uintptr, ok bool) {
	var permissions string
	if _, err := fmt.Sscanf(line, "%x-%x %s", &start, &end, &permissions); err != nil {
		return 0, 0, false
	}
	return start, end, !strings.Contains(permissions, "w") && strings.HasSuffix(line, " "+file)
}
