package calibrate

import (
	"errors"
	"os"
	"testing"
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
		require.Positive(t, cost)
	}
	require.Equal(t, c, Costs(), "measured once")
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
