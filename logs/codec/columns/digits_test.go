package columns

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Digits are found and read as one by one, wherever they end.
func TestDecimalsReadsDigits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		before := rapid.StringOfN(rapid.Rune(), 0, 12, -1).Draw(rt, "before")
		digits := rapid.StringMatching(`[0-9]{0,22}`).Draw(rt, "digits")
		after := rapid.StringMatching(`([^0-9][\x00-\x{10ffff}]{0,12})?`).Draw(rt, "after")
		r := decimals([]byte(before+digits+after), len(before))
		width := min(len(digits), maxDecimal)
		value := uint64(0)
		if width > 0 {
			var err error
			value, err = strconv.ParseUint(digits[:width], 10, 64)
			require.NoError(rt, err)
		}
		require.Equal(rt, run{value: value, width: width}, r)
	})
}

func TestHexadecimalsReadsDigits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		mark := rapid.SampledFrom([]byte{lowerHexMark, upperHexMark}).Draw(rt, "mark")
		digits := rapid.StringMatching(`[0-9a-f]{0,18}`).Draw(rt, "digits")
		after := rapid.StringMatching(`([^0-9a-fA-F][\x00-\x{10ffff}]{0,12})?`).Draw(rt, "after")
		if mark == upperHexMark {
			digits = strings.ToUpper(digits)
		}
		if i := strings.IndexAny(digits, "abcdefABCDEF"); i >= 0 && rapid.Bool().Draw(rt, "other case") {
			swapped := []byte(digits)
			swapped[i] ^= 0x20
			after, digits = string(swapped[i:])+after, digits[:i]
		}
		r := hexadecimals([]byte("x"+digits+after), 1, mark)
		width := min(len(digits), maxHex)
		value := uint64(0)
		if width > 0 {
			var err error
			value, err = strconv.ParseUint(digits[:width], 16, 64)
			require.NoError(rt, err)
		}
		require.Equal(rt, run{value: value, width: width}, r)
	})
}
