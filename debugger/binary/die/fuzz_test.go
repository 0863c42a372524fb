package die_test

import (
	"debug/dwarf"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary/die"
)

// seed is a unit with a type and a function with a parameter.
const (
	seedAbbrev = "01 11 01 03 08 11 01 00 00  02 24 00 03 0e 0b 0b 00 00  03 2e 01 11 1b 00 00  04 05 00 03 08 49 13 02 18 34 19 00 00  00"
	seedInfo   = "2a 00 00 00 05 00 01 08 00 00 00 00" +
		"01 6d 00 00 10 00 00 00 00 00 00" + // the unit
		"02 00 00 00 00 08" + // a type
		"03 00" + // a function
		"04 70 00 17 00 00 00 01 9c" + // a parameter
		"00 00"
)

func unhex(tb testing.TB, text string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	require.NoError(tb, err)
	return b
}

// FuzzEntries reads changed debug information: every entry is behind the one
// before it, and what is refused is refused as damaged.
func FuzzEntries(f *testing.F) {
	f.Add(unhex(f, seedAbbrev), unhex(f, seedInfo), []byte("int\x00"), unhex(f, "0010000000000000"))
	f.Fuzz(func(t *testing.T, abbrev, info, text, addrs []byte) {
		if len(abbrev)+len(info)+len(text)+len(addrs) > 1<<9 {
			return
		}
		data, err := die.New(die.Sections{Abbrev: abbrev, Info: info, Str: text, LineStr: text, StrOffsets: addrs, Addr: addrs})
		if err != nil {
			require.ErrorIs(t, err, die.ErrCorrupt)
			return
		}
		for i := range data.Units() {
			u := &data.Units()[i]
			last := u.Header
			for r := data.Reader(u); !r.Done(); {
				e, err := r.Next()
				if err != nil {
					require.ErrorIs(t, err, die.ErrCorrupt)
					break
				}
				if e.Off <= last || e.Off >= u.End {
					t.Fatalf("entry %#x after %#x in a unit up to %#x", e.Off, last, u.End)
				}
				last = e.Off
				for _, v := range e.Each {
					if v.Class == die.Missing {
						t.Fatalf("entry %#x: an attribute without a value", e.Off)
					}
				}
				again, rest, err := data.Entry(e.Off)
				require.NoError(t, err)
				require.Equal(t, e.Tag, again.Tag)
				require.Equal(t, e.Value(dwarf.AttrName), again.Value(dwarf.AttrName))
				_ = rest.Skip(&again) // it ends
			}
		}
	})
}
