package disasm

import (
	"debug/elf"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/arch/x86/x86asm"

	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
	"github.com/vigil-agent/vigil/debugger/binary/pclntab"
)

// compare checks that length says what x86asm says of the instruction that code
// begins with, as far as it says anything.
func compare(code []byte) (known bool, err error) {
	n, form, opcode := length(code)
	if n == 0 {
		return false, nil
	}
	in, _ := x86asm.Decode(code, 64) // no Op says that it failed
	if in.Op == 0 || in.Len != n || unknownLength(code) != 0 {
		return true, fmt.Errorf("% x: length %d, x86asm has %v of %d", code, n, in, in.Len)
	}
	kind, to := branchOf(code[:n], form, opcode)
	wantKind, want := instruction{len: n, op: in.Op, args: in.Args}.branch()
	if kind != wantKind || kind != noBranch && to+n != want {
		return true, fmt.Errorf("% x: branch %d to %d, x86asm has %v", code, kind, to, in)
	}
	return true, nil
}

// TestLengthOfEveryOpcode goes through the prefixes, the opcodes of one and of two
// bytes, and ModRM.
func TestLengthOfEveryOpcode(t *testing.T) {
	t.Parallel()
	require.Len(t, oneByte, 256)
	require.Len(t, twoByte, 256)
	const rest = "\x01\x02\x83\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d"
	known := map[string]bool{}
	for _, prefixes := range []string{"", "\x66", "\xf2", "\xf3", "\x65", "\x66\xf2", "\xf3\x66", "\xf0"} {
		for _, rex := range []string{"", "\x41", "\x4c"} {
			for _, escape := range []string{"", "\x0f"} {
				for op := range 256 {
					opcode := escape + string([]byte{byte(op)})
					for modrm := range 256 {
						ok, err := compare([]byte(prefixes + rex + opcode + string([]byte{byte(modrm)}) + rest))
						if err != nil {
							t.Fatal(err)
						}
						if ok {
							known[opcode] = true
						}
					}
				}
			}
		}
	}
	require.Greater(t, len(known), 300)
}

// TestScanOfALargeProgram compares scan with the full decoding of all functions of
// cmd/go, and says how much is left to x86asm.
func TestScanOfALargeProgram(t *testing.T) {
	t.Parallel()
	file, err := elf.Open(binarytest.Command(t, "cmd/go"))
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	text := file.Section(".text")
	code, err := text.Data()
	require.NoError(t, err)
	lines, err := file.Section(".gopclntab").Data()
	require.NoError(t, err)
	table, err := pclntab.Parse(lines, text.Addr, nil)
	require.NoError(t, err)
	functions, all, slow := 0, 0, 0
	for i := range table.Len() {
		f, ok := table.Func(i)
		if !ok || f.End > text.Addr+text.Size {
			continue
		}
		body := code[f.Entry-text.Addr : f.End-text.Addr]
		var want, got []branch
		before := 0
		wantErr := each(body, func(in instruction) bool {
			known, err := compare(body[in.off:])
			if err != nil {
				t.Fatalf("%s: %v", f.Name(), err)
			}
			if all++; !known {
				slow++
			}
			if kind, to := in.branch(); kind != noBranch {
				want = append(want, branch{kind: kind, off: in.off, len: in.len, before: before, to: to})
			}
			before = in.off
			return true
		})
		err := scan(body, func(b branch) bool {
			got = append(got, b)
			return true
		})
		require.Equal(t, wantErr, err)
		require.Equal(t, want, got, f.Name())
		functions++
	}
	t.Logf("%d functions, %d instructions, %d of them left to x86asm", functions, all, slow)
	require.Greater(t, functions, 10000)
	require.Less(t, slow*50, all)
}

// FuzzLength compares length with x86asm.
func FuzzLength(f *testing.F) {
	for _, e := range entries {
		f.Add(code(f, e.code))
	}
	f.Fuzz(func(t *testing.T, code []byte) {
		if _, err := compare(code); err != nil {
			t.Fatal(err)
		}
	})
}
