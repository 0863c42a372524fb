package octets

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(rt, "b")
		at := rapid.IntRange(0, len(b)).Draw(rt, "at")
		var want [8]byte
		copy(want[:], b[at:])
		require.Equal(rt, binary.LittleEndian.Uint64(want[:]), At(b, at))
	})
}

func TestDigits(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		b := rapid.OneOf(rapid.SliceOfN(rapid.Byte(), 8, 8), rapid.SliceOfN(rapid.ByteRange('/', ':'), 8, 8)).Draw(rt, "b")
		want := 0
		for want < 8 && b[want] >= '0' && b[want] <= '9' {
			want++
		}
		require.Equal(rt, want, Digits(At(b, 0)))
	})
}
