package spool

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/record"
)

func TestBodyFormat(t *testing.T) {
	t.Parallel()
	var e encoder
	body, n := e.append(nil, []record.Record{
		{Time: 1, Status: "info", Tags: "a:b", Message: []byte("one"), Origin: record.Origin{Source: "f", End: 4}},
		{Time: 1, Status: "info", Tags: "a:b", Message: []byte("two"), Origin: record.Origin{Source: "f", End: 8}},
		{Time: 0, Tags: "info", Message: []byte("\xff"), Origin: record.Origin{Source: "f", End: 11}},
	})
	require.Equal(t, 7, n)
	require.Equal(t, "0f"+"02"+"0104696e666f"+"0203613a62"+"030166"+"036f6e65"+ // all but the end is new
		"00"+"0374776f"+
		"17"+"01"+"00"+"01"+"06"+"01ff", hex.EncodeToString(body))
}

func records(t *rapid.T) []record.Record {
	text := rapid.SampledFrom([]string{"", "info", "error", "env:dev,service:app", "é\xff", "file-1", "file-2"})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) record.Record {
		return record.Record{
			Time:    rapid.OneOf(rapid.Int64(), rapid.Just(int64(1730000000000))).Draw(t, "time"),
			Status:  text.Draw(t, "status"),
			Tags:    text.Draw(t, "tags"),
			Message: rapid.SliceOf(rapid.Byte()).Draw(t, "message"),
			Origin:  record.Origin{Source: text.Draw(t, "source"), End: rapid.Int64().Draw(t, "end")},
		}
	}), 0, 20).Draw(t, "records")
}

func TestBodyRoundTrip(t *testing.T) {
	t.Parallel()
	var (
		e encoder
		d decoder
	)
	rapid.Check(t, func(t *rapid.T) {
		recs := records(t)
		body, n := e.append(nil, recs)
		got, err := d.decode(nil, body)
		require.NoError(t, err)
		require.Len(t, got, len(recs))
		for i := range recs {
			require.Equal(t, recs[i], got[i])
			n -= len(recs[i].Message)
		}
		require.Zero(t, n)
	})
}

func TestFrameRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u32, u64 := rapid.Uint32(), rapid.Uint64()
		f := frame{u32.Draw(t, "length"), u64.Draw(t, "seq"), count{u64.Draw(t, "l"), u64.Draw(t, "b")}, u32.Draw(t, "lines"), u32.Draw(t, "bytes"), u32.Draw(t, "crc")}
		salt := u32.Draw(t, "salt")
		var head [frameHeaderSize]byte
		f.put(head[:], salt)
		got, ok := parseFrame(head[:], salt)
		require.True(t, ok)
		require.Equal(t, f, got)
		head[rapid.IntRange(0, frameHeaderSize-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		_, ok = parseFrame(head[:], salt)
		require.False(t, ok, "one flipped bit is found")
		m := mark{u32.Draw(t, "flags"), u64.Draw(t, "count"), u64.Draw(t, "acked"), count{u64.Draw(t, "l"), u64.Draw(t, "b")}, u64.Draw(t, "boot")}
		again, ok := parseMark(m.append(nil))
		require.True(t, ok)
		require.Equal(t, m, again)
	})
}

// FuzzBody: no body makes the decoder panic, and what it reads can be written.
func FuzzBody(f *testing.F) {
	var e encoder
	body, _ := e.append(nil, lines(1, 3))
	f.Add(body)
	f.Add([]byte{0x1f})
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{8, 2, 0, 0})
	f.Fuzz(func(t *testing.T, body []byte) {
		var d decoder
		recs, err := d.decode(nil, body)
		if err != nil {
			return
		}
		again, _ := new(encoder).append(nil, recs)
		got, err := d.decode(nil, again)
		require.NoError(t, err)
		require.Equal(t, recs, got)
	})
}
