package binary_test

import (
	"debug/elf"
	"debug/gosym"
	"os"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/go-delve/delve/pkg/dwarf/op"
	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
	"github.com/vigil-agent/vigil/debugger/binary/location"
)

// TestTableMatchesOwnRuntime compares every function of the running test binary
// with what its runtime says: name, and file and line at every 61st byte, in the
// innermost inlined call.
func TestTableMatchesOwnRuntime(t *testing.T) {
	t.Parallel()
	path, err := os.Executable()
	require.NoError(t, err)
	bin := open(t, path)
	here, err := bin.FindFunction("binary_test.TestTableMatchesOwnRuntime")
	require.NoError(t, err)
	bias := uint64(reflect.ValueOf(TestTableMatchesOwnRuntime).Pointer()) - here.Entry
	s := bin.Symbolizer()
	checked := 0
	require.NoError(t, bin.Functions(func(fn binary.Function) bool {
		for pc := fn.Entry; pc+1 < fn.End; pc += 61 {
			// CallersFrames takes return addresses.
			want, _ := runtime.CallersFrames([]uintptr{uintptr(pc + bias + 1)}).Next()
			got := s.Frames(pc, false)
			if want.Function == "" {
				continue
			}
			require.NotEmpty(t, got)
			require.Equal(t, binary.Frame{Function: want.Function, File: want.File, Line: want.Line}, got[0], "%#x", pc)
			checked++
		}
		return true
	}))
	require.Greater(t, checked, 10000)
}

// TestTableMatchesGosym compares with the standard reader, which knows functions
// and positions but not inlined calls.
func TestTableMatchesGosym(t *testing.T) {
	t.Parallel()
	bin := fixture(t, "stack", binarytest.Build{})
	f, err := elf.Open(bin.Path())
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	data, err := f.Section(".gopclntab").Data()
	require.NoError(t, err)
	table, err := gosym.NewTable(nil, gosym.NewLineTable(data, f.Section(".text").Addr))
	require.NoError(t, err)

	s := bin.Symbolizer()
	n := 0
	require.NoError(t, bin.Functions(func(fn binary.Function) bool {
		want := table.Funcs[n]
		n++
		require.Equal(t, want.Entry, fn.Entry)
		require.Equal(t, want.End, fn.End)
		require.Equal(t, want.Name, fn.Name)
		for pc := fn.Entry; pc < fn.End; pc += 23 {
			file, line, _ := table.PCToLine(pc)
			frame := s.Frames(pc, false)[0]
			require.Equal(t, file, strings.TrimPrefix(frame.File, "?"), fn.Name)
			require.Equal(t, max(line, 0), frame.Line, fn.Name)
		}
		return true
	}))
	require.Len(t, table.Funcs, n)
}

// TestPlacesMatchDelve compares the places of parameters with Delve's reader of
// expressions, for DWARF 5 and 4.
func TestPlacesMatchDelve(t *testing.T) {
	t.Parallel()
	for _, toolchain := range []string{"", "go1.24.9"} {
		t.Run("toolchain "+toolchain, func(t *testing.T) {
			t.Parallel()
			bin := fixture(t, "params", binarytest.Build{Toolchain: toolchain})
			checked := 0
			require.NoError(t, bin.Functions(func(fn binary.Function) bool {
				sig, err := bin.Signature(&fn, binary.Reach{})
				if err != nil {
					require.ErrorIs(t, err, binary.ErrNotDescribed)
					return true
				}
				for i := range sig.Params {
					for pc := fn.Entry; pc < fn.End; pc += 37 {
						expr, size := sig.Expr(i, pc)
						if expr == nil {
							continue
						}
						requireSamePlace(t, expr, size)
						checked++
					}
				}
				return true
			}))
			require.Greater(t, checked, 10000)
		})
	}
}

// cfa is an arbitrary frame address for Delve to compute with.
const cfa = 1 << 40

func requireSamePlace(t *testing.T, expr []byte, size uint32) {
	t.Helper()
	got, err := location.Decode(expr, size)
	addr, pieces, theirErr := op.ExecuteStackProgram(op.DwarfRegisters{CFA: cfa, FrameBase: cfa}, expr, 8, nil)
	if err != nil && len(got) == 0 {
		return
	}
	require.NoError(t, theirErr, "% x", expr)
	if len(pieces) == 0 {
		require.Equal(t, []location.Piece{{Kind: location.Stack, Offset: int32(addr - cfa), Size: size}}, got)
		return
	}
	dest := uint32(0)
	var want []location.Piece
	for _, p := range pieces {
		n := uint32(p.Size)
		if len(pieces) == 1 && n == 0 {
			n = size
		}
		switch p.Kind {
		case op.RegPiece:
			want = append(want, location.Piece{Kind: location.Register, Reg: uint8(p.Val), Dest: dest, Size: n})
		case op.AddrPiece:
			want = append(want, location.Piece{Kind: location.Stack, Offset: int32(int64(p.Val) - cfa), Dest: dest, Size: n})
		}
		dest += n
	}
	require.Equal(t, want, got, "% x", expr)
}
