package e2e

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// text compares the code of a running program with its file: a probe is a
// breakpoint instruction that is in the one and not in the other.
type text struct {
	memory        *os.File
	address, size uint64
	file          []byte
}

// openText opens the code of the service that runs as pid.
func openText(t *testing.T, pid int) text {
	t.Helper()
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, memory.Close()) })
	binary, err := elf.Open(shop)
	require.NoError(t, err)
	defer func() { require.NoError(t, binary.Close()) }()
	section := binary.Section(".text")
	code, err := section.Data()
	require.NoError(t, err)
	return text{memory: memory, address: section.Addr, size: section.Size, file: code}
}

// probed says whether any instruction differs from the file.
func (x text) probed(t *testing.T) bool {
	t.Helper()
	code := make([]byte, x.size)
	_, err := x.memory.ReadAt(code, int64(x.address))
	require.NoError(t, err)
	return !bytes.Equal(code, x.file)
}
