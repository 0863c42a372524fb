package disasm

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// code reads instructions written as hexadecimal bytes; what follows # on a line
// is for the reader.
func code(tb testing.TB, text string) []byte {
	tb.Helper()
	var digits strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	require.NoError(tb, err)
	return b
}

var entries = map[string]struct {
	code string
	want Entry
}{
	"small frame": {`
		49 3b 66 10    # cmp rsp, [r14+0x10]
		76 0d          # jbe to the check's end
		55             # push rbp
		48 89 e5       # mov rbp, rsp
		48 83 ec 10    # sub rsp, 16
		48 83 c4 10    # add rsp, 16
		5d             # pop rbp
		c3             # ret
		e8 00 00 00 00 # call morestack
		eb e5          # jmp to the start`, Entry{Offset: 6, Class: PushRBP}},
	"large frame": {`
		4c 8d 64 24 c0    # lea r12, [rsp-64]
		4d 3b 66 10       # cmp r12, [r14+0x10]
		0f 86 10 00 00 00 # jbe
		55                # push rbp
		48 89 e5          # mov rbp, rsp
		5d                # pop rbp
		c3                # ret`, Entry{Offset: 15, Class: PushRBP}},
	"huge frame": {`
		49 89 e4             # mov r12, rsp
		49 81 ec 00 00 10 00 # sub r12, 0x100000
		72 20                # jb
		4d 3b 66 10          # cmp r12, [r14+0x10]
		76 1a                # jbe
		55                   # push rbp
		48 89 e5             # mov rbp, rsp
		5d                   # pop rbp
		c3                   # ret`, Entry{Offset: 18, Class: PushRBP}},
	"frame without check": {`
		55       # push rbp
		48 89 e5 # mov rbp, rsp
		5d       # pop rbp
		c3       # ret`, Entry{Offset: 0, Class: PushRBP}},
	"push that is no frame": {`
		55 # push rbp
		5d # pop rbp
		c3 # ret`, Entry{Offset: 0, Class: Emulated}},
	"leaf that branches first": {`
		48 85 c0 # test rax, rax
		74 03    # je
		48 0f af c3 # imul rax, rbx
		c3       # ret`, Entry{Offset: 3, Class: Emulated}},
	"leaf that may panic first": {`
		48 83 38 00 # cmp [rax], 0
		74 03       # je
		48 89 d8    # mov rax, rbx
		c3          # ret`, Entry{Offset: 0, Class: Stepped}},
	"check for stack space without frame": {`
		49 3b 66 10 # cmp rsp, [r14+0x10]
		76 01       # jbe
		c3          # ret
		c3          # ret`, Entry{Offset: 4, Class: Emulated}},
	"leaf whose branch is a loop": {`
		48 85 c0 # test rax, rax
		74 fb    # je to the test
		c3       # ret`, Entry{Offset: 3, Class: Emulated, Restarts: true}},
	"leaf with a jump behind its start": {`
		48 85 c0 # test rax, rax
		48 85 db # test rbx, rbx
		74 fb    # je to the second test
		c3       # ret`, Entry{Offset: 0, Class: Stepped}},
	"leaf with a computed jump": {`
		48 85 c0 # test rax, rax
		74 02    # je
		ff e0    # jmp rax
		c3       # ret`, Entry{Offset: 0, Class: Stepped}},
	"leaf that writes first": {`
		48 01 d8 # add rax, rbx
		74 01    # je
		c3       # ret`, Entry{Offset: 0, Class: Stepped}},
	"single return": {`c3 # ret`, Entry{Offset: 0, Class: Stepped}},
	"nothing":       {``, Entry{Offset: 0, Class: Stepped}},
	"undecodable":   {`06 # push es, not in 64-bit mode`, Entry{Offset: 0, Class: Stepped, Restarts: true}},
}

func TestFindEntry(t *testing.T) {
	t.Parallel()
	for name, tt := range entries {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, FindEntry(code(t, tt.code)))
		})
	}
}

func TestFindExits(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		code string
		want Exits
		err  error
	}{
		"several": {`
			74 02          # je
			5d             # pop rbp
			c3             # ret
			48 83 c4 10    # add rsp, 16
			5d             # pop rbp
			c3             # ret
			cc cc          # padding`, Exits{Returns: []int{3, 9}}, nil},
		"ret with operand": {`c2 08 00 # ret 8`, Exits{Returns: []int{0}}, nil},
		"tail jump": {`
			e9 00 01 00 00 # jmp far behind
			eb f0          # jmp far before
			eb fe          # jmp to itself
			eb f5          # jmp to the start`, Exits{Jumps: []Jump{{0, 0x105, Emulated}, {5, -9, Emulated}}}, nil},
		"tail jump through a register": {`
			48 8d 05 00 01 00 00 # lea rax, [rip+0x100]
			ff e0                # jmp rax
			48 8d 05 f0 ff ff ff # lea rax, [rip-16]: the start
			ff e0                # jmp rax`, Exits{Jumps: []Jump{{7, 0x107, Stepped}}}, nil},
		"computed jumps": {`
			48 8d 05 00 01 00 00 # lea rax, [rip+0x100]
			ff e3                # jmp rbx
			48 89 c8             # mov rax, rcx
			ff e0                # jmp rax
			ff 24 c8             # jmp [rax+rcx*8]: a table
			ff 25 00 01 00 00    # jmp [rip+0x100]: one of another file
			ff 22                # jmp [rdx]: a closure`, Exits{Unclear: 4}, nil},
		"one jump for two addresses": {`
			74 09                # je
			48 8d 05 00 01 00 00 # lea rax, [rip+0x100]
			eb 07                # jmp
			48 8d 05 f0 ff ff ff # lea rax, [rip-16]: the start
			ff e0                # jmp rax`, Exits{Unclear: 1}, nil},
		"conditional jumps": {`
			74 01 # je
			74 10 # je far behind
			90    # nop`, Exits{Unclear: 1}, nil},
		"bytes that look like ret": {`
			48 b8 c3 c3 c3 c3 c3 c3 c3 c3 # mov rax, imm64
			c3                            # ret`, Exits{Returns: []int{10}}, nil},
		"never": {`eb fe # jmp to itself`, Exits{}, nil},
		"vector instructions": {`
			c5 f8 77             # vzeroupper
			c4 e2 7d 58 05 c3 c3 c3 c3 # vpbroadcastd ymm0, [rip+…]
			c5 fd 6f 44 c3 c3    # vmovdqa ymm0, [rbx+rax*8-61]
			c4 e3 7d 39 c1 c3    # vextracti128 xmm1, ymm0, 0xc3
			c5 f9 70 c0 c3       # vpshufd xmm0, xmm0, 0xc3
			62 f1 fd 48 6f 00    # vmovdqa64 zmm0, [rax]
			62 f3 7d 48 25 c0 c3 # vpternlogd zmm0, zmm0, zmm0, 0xc3
			f3 4d 0f 38 f6 28    # adox r13, [r8]
			66 0f 38 f6 c3       # adcx eax, ebx
			c3                   # ret`, Exits{Returns: []int{53}}, nil},
		"undecodable": {`c3 06 # ret, push es`, Exits{Returns: []int{0}}, ErrUndecodable},
		"cut":         {`48 b8 c3 # mov rax, imm64`, Exits{}, ErrUndecodable},
		"cut vector":  {`c4 e2 7d # vpbroadcastd`, Exits{}, ErrUndecodable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := FindExits(code(t, tt.code))
			require.ErrorIs(t, err, tt.err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestEmulated(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"55":                true,  // push rbp
		"41 57":             true,  // push r15
		"e8 00 00 00 00":    true,  // call
		"e9 00 00 00 00":    true,  // jmp
		"eb 00":             true,  // jmp
		"74 00":             true,  // je
		"0f 84 00 00 00 00": true,  // je
		"90":                true,  // nop
		"c3":                false, // ret
		"5d":                false, // pop rbp
		"48 89 e5":          false, // mov rbp, rsp
		"ff d0":             false, // call rax
		"0f 1f 00":          false, // nop [rax]: emulated by new kernels only
		"c5 f8 77":          false, // vzeroupper
	} {
		in, err := decode(code(t, text), 0)
		require.NoError(t, err, text)
		require.Equal(t, want, in.emulated(), text)
	}
}

// FuzzFunction checks what must hold for any bytes: the entry and the exits are
// in the code, in order, and at instructions that decode.
func FuzzFunction(f *testing.F) {
	for _, e := range entries {
		f.Add(code(f, e.code))
	}
	f.Add(bytes.Repeat([]byte{0x62}, 20))
	f.Fuzz(func(t *testing.T, code []byte) {
		e := FindEntry(code)
		if e.Offset != 0 && (e.Offset < 0 || e.Offset >= len(code)) {
			t.Fatalf("entry %+v in %d bytes", e, len(code))
		}
		if e.Class == PushRBP && code[e.Offset] != 0x55 {
			t.Fatalf("entry %+v is not push rbp", e)
		}
		x, _ := FindExits(code)
		last := -1
		for _, off := range x.Returns {
			if off <= last || off >= len(code) {
				t.Fatalf("returns %v in %d bytes", x.Returns, len(code))
			}
			last = off
		}
		for _, j := range x.Jumps {
			if j.Offset < 0 || j.Offset >= len(code) || j.Target >= 0 && j.Target < len(code) {
				t.Fatalf("jumps %v in %d bytes", x.Jumps, len(code))
			}
		}
	})
}
