package binary_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
)

// exercise asks everything that can be asked; answers do not matter, that there
// are answers does.
func exercise(path string) {
	bin, err := binary.Open(path)
	if err != nil {
		return
	}
	defer func() { _ = bin.Close() }() // the file is damaged on purpose
	_, _ = bin.GoIDOffset()
	_, _ = bin.FindFunction("main.none")
	s := bin.Symbolizer()
	n := 0
	_ = bin.Functions(func(fn binary.Function) bool {
		if n++; n%16 != 0 {
			return true
		}
		s.Frames(fn.Entry+1, true)
		e, _ := bin.Entry(&fn)
		_, _ = bin.Exits(&fn)
		if sig, err := bin.Signature(&fn, binary.Reach{Depth: 3}); err == nil {
			for i := range sig.Params {
				_, _ = sig.At(i, fn.Entry+uint64(e.Offset))
			}
		}
		return true
	})
}

// TestDamagedFiles cuts and scrambles a binary in many ways. Plain debug
// information is used because a compressed section rejects nearly every change.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(binarytest.Fixture(t, "testdata/stack", binarytest.Variants["dwarf plain"]))
	require.NoError(t, err)
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	path := filepath.Join(t.TempDir(), "damaged")
	for seed := range rounds {
		random := rand.New(rand.NewPCG(uint64(seed), 1))
		text := append([]byte(nil), whole...)
		switch seed % 3 {
		case 0:
			text = text[:random.IntN(len(text))]
		case 1: // headers and tables
			for range 20 {
				text[random.IntN(4096)] ^= byte(1 + random.IntN(255))
			}
		case 2: // everywhere
			for range 20000 {
				text[4096+random.IntN(len(text)-4096)] = byte(random.IntN(256))
			}
		}
		require.NoError(t, os.WriteFile(path, text, 0o600))
		exercise(path)
	}
}

// TestCutWhileMapped shows that a file that shrinks under the mapping gives an
// error instead of a signal.
func TestCutWhileMapped(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(binarytest.Fixture(t, "testdata/stack", binarytest.Build{}))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "cut")
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	bin := open(t, path)
	fn, err := bin.FindFunction("main.main")
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, 0))

	_, err = bin.FindFunction("main.main")
	require.ErrorIs(t, err, binary.ErrCorrupt)
	_, err = bin.Signature(fn, binary.Reach{Depth: 3})
	require.ErrorIs(t, err, binary.ErrCorrupt)
	_, err = bin.Entry(fn)
	require.ErrorIs(t, err, binary.ErrCorrupt)
	_, err = bin.Exits(fn)
	require.ErrorIs(t, err, binary.ErrCorrupt)
	require.ErrorIs(t, bin.Functions(func(binary.Function) bool { return true }), binary.ErrCorrupt)
	_, ok := bin.FunctionAt(fn.Entry)
	require.False(t, ok)
	require.Nil(t, bin.Symbolizer().Frames(fn.Entry, false))
}
