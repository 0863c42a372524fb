package columns

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Bits come back as they were put, and all of the bytes are theirs.
func TestBitsComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		sizes := rapid.SliceOf(rapid.UintRange(0, 64)).Draw(rt, "sizes")
		var w bitStream
		values, total := make([]uint64, len(sizes)), uint(0)
		for i, n := range sizes {
			values[i] = rapid.Uint64().Draw(rt, "value") & (1<<n - 1)
			w.put(values[i], n)
			total += n
		}
		data := w.finish()
		require.Len(rt, data, int(total+7)/8)
		r := bitStream{buf: data}
		for i, n := range sizes {
			require.Equal(rt, values[i], r.take(n))
		}
		require.True(rt, r.done())

		r = bitStream{buf: append(data, 0)}
		for _, n := range sizes {
			r.take(n)
		}
		require.False(rt, r.done(), "a byte too many")
		if free := 8 - total%8; free < 8 {
			data[len(data)-1] |= 0x80
			r = bitStream{buf: data, used: total}
			require.False(rt, r.done(), "bits behind the last")
		}
		r = bitStream{buf: data, used: total}
		require.Zero(rt, r.take(9))
		require.False(rt, r.done(), "bits behind the end")
	})
}
