package snapshot

import (
	"encoding/binary"
	"math"
	"strconv"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

// TestFloatsReadBack parses what is written, in both notations.
func TestFloatsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := math.Float64frombits(rapid.Uint64().Draw(t, "bits"))
		data := binary.LittleEndian.AppendUint64(nil, math.Float64bits(f))
		typ := &typeInfo{kind: gotype.Float, size: 8}
		for _, how := range []notation{'f', 'g'} {
			text := string(appendScalar(nil, typ, data, how))
			if how == 'f' {
				require.NotContains(t, text, "e")
				require.LessOrEqual(t, len(text), fixedPointLength(typ, data))
			}
			got, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			require.True(t, got == f || math.IsNaN(got) && math.IsNaN(f), "%v became %s", f, text)
		}
	})
}

func TestComplexReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := complex(rapid.Float64().Draw(t, "re"), rapid.Float64().Draw(t, "im"))
		data := binary.LittleEndian.AppendUint64(nil, math.Float64bits(real(c)))
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(imag(c)))
		got, err := strconv.ParseComplex(string(appendScalar(nil, &typeInfo{kind: gotype.Complex, size: 16}, data, 'f')), 128)
		require.NoError(t, err)
		require.Equal(t, c, got)
	})
}

func TestIntegersReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.SampledFrom([]uint64{1, 2, 4, 8}).Draw(t, "size")
		n := rapid.Uint64().Draw(t, "n")
		data := binary.LittleEndian.AppendUint64(nil, n)[:size]
		bits := int(8 * size)
		u, err := strconv.ParseUint(string(appendScalar(nil, &typeInfo{kind: gotype.Uint, size: size}, data, 'f')), 10, bits)
		require.NoError(t, err)
		require.Equal(t, n<<(64-bits)>>(64-bits), u)
		i, err := strconv.ParseInt(string(appendScalar(nil, &typeInfo{kind: gotype.Int, size: size}, data, 'f')), 10, bits)
		require.NoError(t, err)
		require.Equal(t, int64(n<<(64-bits))>>(64-bits), i)
		h, err := strconv.ParseUint(string(appendScalar(nil, &typeInfo{kind: gotype.Uintptr, size: size}, data, 'f')), 0, bits)
		require.NoError(t, err)
		require.Equal(t, u, h)
	})
}

// TestTimesOfThisToolchain reads the memory of times as this Go lays them out,
// with and without a monotonic reading.
func TestTimesOfThisToolchain(t *testing.T) {
	t.Parallel()
	require.EqualValues(t, timeSize, unsafe.Sizeof(time.Time{}))
	now := time.Now()
	for _, want := range []time.Time{now, now.Round(0), {}, time.Unix(0, 0), now.Add(-200 * 365 * 24 * time.Hour), now.Add(200 * 365 * 24 * time.Hour)} {
		got := time.Unix(seconds(unsafe.Slice((*byte)(unsafe.Pointer(&want)), timeSize)))
		require.True(t, want.Equal(got), "%v became %v", want, got)
	}
}

// TestQuotedLengthIsABound holds the estimate to the encoder.
func TestQuotedLengthIsABound(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")
		quoted, _ := jsontext.AppendQuote(nil, b)
		require.LessOrEqual(t, len(quoted), quotedLength(b)+2)
	})
}

// TestWholeRunesCutsOnlyWhatClippingTore clips valid text anywhere.
func TestWholeRunesCutsOnlyWhatClippingTore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.String().Draw(t, "text")
		n := rapid.IntRange(0, len(s)).Draw(t, "length")
		got := wholeRunes([]byte(s[:n]))
		require.True(t, utf8.Valid(got))
		require.Less(t, n-len(got), utf8.UTFMax)
		if utf8.ValidString(s[:n]) {
			require.Len(t, got, n)
		}
	})
}
