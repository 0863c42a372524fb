package disasm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFindLater(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		code string
		want Later
		ok   bool
	}{
		"condition": {`
			48 39 d8 # cmp rax, rbx
			7e 05    # jle`, Later{Offset: 3}, true},
		"arguments of a call": {`
			48 8b 44 24 10       # mov rax, [rsp+16]
			48 8d 1d 10 00 00 00 # lea rbx, [rip+16]
			b9 05 00 00 00       # mov ecx, 5
			0f 57 c0             # xorps xmm0, xmm0
			e8 00 00 00 00       # call`, Later{Offset: 20, Writes: []uint8{0, 3, 2, 17}}, true},
		"emulated itself": {`
			e8 00 00 00 00 # call
			eb 00          # jmp`, Later{}, false},
		"may fault": {`
			48 83 78 08 00 # cmp [rax+8], 0
			7e 05          # jle`, Later{}, false},
		"may fault by index": {`
			48 83 3c 04 00 # cmp [rsp+rax], 0
			7e 05          # jle`, Later{}, false},
		"of the thread": {`
			64 48 8b 04 25 f8 ff ff ff # mov rax, fs:[-8]
			eb 00                      # jmp`, Later{}, false},
		"writes memory": {`
			48 89 44 24 10 # mov [rsp+16], rax
			eb 00          # jmp`, Later{}, false},
		"writes the stack pointer": {`
			48 83 c4 10 # add rsp, 16
			eb 00       # jmp`, Later{}, false},
		"writes a byte": {`
			b0 01 # mov al, 1
			eb 00 # jmp`, Later{}, false},
		"two results": {`
			48 f7 eb # imul rbx
			eb 00    # jmp`, Later{}, false},
		"three operands": {`
			48 6b c3 18 # imul rax, rbx, 24
			eb 00       # jmp`, Later{Offset: 4, Writes: []uint8{0}}, true},
		"a jump back": {`
			48 39 d8 # cmp rax, rbx
			7e fb    # jle to the comparison
			eb f9    # jmp to the comparison`, Later{Offset: 3}, true},
		"a jump to it": {`
			48 39 d8 # cmp rax, rbx
			7e fe    # jle to itself`, Later{Offset: 3}, false},
		"a computed jump": {`
			48 39 d8 # cmp rax, rbx
			7e 00    # jle
			ff e0    # jmp rax`, Later{Offset: 3}, false},
		"beyond the end": {`
			48 39 d8 48 39 d8 48 39 d8 48 39 d8 48 39 d8 48 39 d8 48 39 d8 # cmp rax, rbx
			7e 00                                                          # jle`, Later{}, false},
		"return":      {`c3 # ret`, Later{}, false},
		"vector":      {`c5 f8 77 eb 00 # vzeroupper, jmp`, Later{}, false},
		"undecodable": {`48 39 d8 06 # cmp, push es`, Later{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := FindLater(code(t, tt.code), 0, 21)
			require.Equal(t, tt.ok, ok)
			if ok {
				require.Equal(t, tt.want, got)
			}
		})
	}
}
