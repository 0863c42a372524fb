package calibrate

import (
	"bufio"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary/disasm"
	"github.com/vigil-agent/vigil/debugger/bpf"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// TestCosts measures each class where probes can run: an emulated instruction is
// one trap, a stepped one two, and nothing is left behind.
func TestCosts(t *testing.T) {
	err := bpf.Supported()
	if errors.Is(err, bpf.ErrNotSupported) && os.Getenv("VIGIL_REQUIRE_BPF") != "1" {
		require.Equal(t, plan.NominalCosts(err.Error()), Costs())
		t.Skip(err)
	}
	require.NoError(t, err)
	c := Costs()
	t.Logf("push %v, emulated %v, stepped %v", c.PushRBP, c.Emulated, c.Stepped)
	require.Empty(t, c.Nominal)
	for _, cost := range []time.Duration{c.PushRBP, c.Emulated, c.Stepped} {
		require.Greater(t, cost, leastTrap)
	}
	require.Equal(t, c, Costs(), "measured once")
	require.Equal(t, fixtureCode(t, "/proc/self/exe", fixtureFileOffsets(t)), fixtureCode(t, "/proc/self/mem", fixtureMemory()))
}

// TestCheapestOfMany is not what a call takes while the machine is busy, however long
// that lasts.
func TestCheapestOfMany(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		require.Equal(t, 9*time.Microsecond, cheapest(func() {
			time.Sleep(9 * time.Microsecond)
			if n++; n <= 2*perBatch { // another process runs
				time.Sleep(perClass)
			}
		}, perClass))
	})
}

// TestPlaceIsOwn puts the probes into this process, not into one that runs the same
// file, and takes them out again.
func TestPlaceIsOwn(t *testing.T) {
	if err := bpf.Supported(); errors.Is(err, bpf.ErrNotSupported) && os.Getenv("VIGIL_REQUIRE_BPF") != "1" {
		t.Skip(err)
	}
	own, err := os.Executable()
	require.NoError(t, err)
	other := exec.CommandContext(t.Context(), own, "-test.run=^TestHelperWaits$")
	other.Env = append(os.Environ(), "VIGIL_HELPER=1")
	in, err := other.StdinPipe()
	require.NoError(t, err)
	out, err := other.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, other.Start())
	text, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "waiting\n", text)

	remove, err := place()
	require.NoError(t, err)
	clean := fixtureCode(t, "/proc/self/exe", fixtureFileOffsets(t))
	for _, code := range fixtureCode(t, "/proc/self/mem", fixtureMemory()) {
		require.Equal(t, byte(0xcc), code, "a breakpoint")
	}
	offsets := fixtureMemory()
	if header(t, "/proc/self/exe") == elf.ET_EXEC { // else it is at other addresses there
		require.Equal(t, clean, fixtureCode(t, fmt.Sprintf("/proc/%d/mem", other.Process.Pid), offsets))
	}
	require.NoError(t, remove())
	require.Equal(t, clean, fixtureCode(t, "/proc/self/mem", offsets))
	require.NoError(t, in.Close())
	require.NoError(t, other.Wait())
}

// TestHelperWaits is the other process.
func TestHelperWaits(t *testing.T) {
	if os.Getenv("VIGIL_HELPER") != "1" {
		return
	}
	fmt.Println("waiting")
	_, err := io.Copy(io.Discard, os.Stdin)
	require.NoError(t, err)
}

func header(t *testing.T, path string) elf.Type {
	t.Helper()
	f, err := elf.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	return f.Type
}

// fixtureMemory are the addresses of the fixtures.
func fixtureMemory() []uint64 {
	push, emulated, stepped := fixtureAddresses()
	return []uint64{uint64(push), uint64(emulated), uint64(stepped)}
}

func fixtureFileOffsets(t *testing.T) []uint64 {
	t.Helper()
	offsets, err := fixtureOffsets()
	require.NoError(t, err)
	return offsets
}

// fixtureCode are the bytes at offsets of a file.
func fixtureCode(t *testing.T, path string, offsets []uint64) (code []byte) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	for _, off := range offsets {
		var b [1]byte
		_, err := f.ReadAt(b[:], int64(off))
		require.NoError(t, err)
		code = append(code, b[0])
	}
	return code
}

// TestFixtures are of the classes that they stand for.
func TestFixtures(t *testing.T) {
	t.Parallel()
	offsets, err := fixtureOffsets()
	require.NoError(t, err)
	exe, err := os.Open("/proc/self/exe")
	require.NoError(t, err)
	defer func() { require.NoError(t, exe.Close()) }()
	for i, want := range []disasm.Class{disasm.PushRBP, disasm.Emulated, disasm.Stepped} {
		code := make([]byte, 16)
		_, err := exe.ReadAt(code, int64(offsets[i]))
		require.NoError(t, err)
		class, err := disasm.ClassAt(code, 0)
		require.NoError(t, err)
		require.Equal(t, want, class)
	}
}

func TestFileOffset(t *testing.T) {
	t.Parallel()
	maps := []byte("00400000-00474000 r-xp 00001000 fd:01 12 /usr/bin/a b\nnot a mapping\n7f00-7f10 r--p 00000000 00:00 0\n")
	for addr, want := range map[uint64]uint64{0x400000: 0x1000, 0x473fff: 0x74fff, 0x7f05: 5} {
		off, ok := fileOffset(maps, addr)
		require.True(t, ok)
		require.Equal(t, want, off)
	}
	_, ok := fileOffset(maps, 0x474000)
	require.False(t, ok)
}

// BenchmarkMeasure is what calibration takes; the aim is 100 ms.
func BenchmarkMeasure(b *testing.B) {
	for b.Loop() {
		if _, err := measure(); err != nil {
			b.Skip(err)
		}
	}
}
