package columns

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/record"
)

// collect decodes a batch and keeps what it yields.
func collect(t require.TestingT, d *Decoder, data []byte) []record.Record {
	var got []record.Record
	var wire float64
	require.NoError(t, d.Decode(data, func(l Line) error {
		r := l.Record
		r.Message = bytes.Clone(l.Message)
		got = append(got, r)
		wire += l.WireBytes
		return nil
	}))
	if len(got) > 0 {
		require.InDelta(t, len(data), wire, 1e-6*float64(len(data)))
	}
	return got
}

// same requires that records came back exactly.
func same(t require.TestingT, want, got []record.Record) {
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, string(want[i].Message), string(got[i].Message), "message of line %d", i)
		require.Equal(t, want[i].Time, got[i].Time, "time of line %d", i)
		require.Equal(t, want[i].Status, got[i].Status, "status of line %d", i)
		require.Equal(t, want[i].Tags, got[i].Tags, "tags of line %d", i)
	}
}

// logLine draws lines of all sorts: few templates with typed values, JSON, traces,
// and bytes at random.
func logLine() *rapid.Generator[[]byte] {
	value := rapid.OneOf(
		rapid.StringMatching(`-?[0-9]{1,25}`),
		rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`),
		rapid.StringMatching(`(0x)?[0-9a-fA-F]{6,40}`),
		rapid.StringMatching(`[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}(:[0-9]{1,5})?`),
		rapid.StringMatching(`[0-2][0-9]:[0-6][0-9]:[0-6][0-9]([.,][0-9]{3})?`),
		rapid.StringMatching(`[12][0-9]{3}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{3,9}Z`),
		rapid.SampledFrom([]string{"0", "00", "007", "alpha", "beta", "9223372036854775808", "1e3", "-0", "+5", "\x00", "\x01\x02", "a0\x00b1"}),
		rapid.StringMatching(`[a-zA-Z0-9_./-]{1,60}`),
		rapid.String(),
	)
	return rapid.Custom(func(t *rapid.T) []byte {
		switch rapid.IntRange(0, 9).Draw(t, "sort") {
		case 0:
			return rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "bytes")
		case 1:
			return fmt.Appendf(nil, "panic: %s\n\ngoroutine %s [running]:\nmain.main()\n\t/app/main.go:%s +0x%s\r\n",
				value.Draw(t, "v"), value.Draw(t, "v"), value.Draw(t, "v"), value.Draw(t, "v"))
		case 2:
			return fmt.Appendf(nil, `{"time":"%s","level":"info","msg":"%s","n":{"id":%s,"ok":true}}`,
				value.Draw(t, "v"), value.Draw(t, "v"), value.Draw(t, "v"))
		case 3, 4:
			return fmt.Appendf(nil, "%s INFO  request %s done in %sms \t", value.Draw(t, "v"), value.Draw(t, "v"), value.Draw(t, "v"))
		case 5, 6:
			return fmt.Appendf(nil, "%s conn from %s to %s", value.Draw(t, "v"), value.Draw(t, "v"), value.Draw(t, "v"))
		default:
			return fmt.Appendf(nil, "user %s logged in", value.Draw(t, "v"))
		}
	})
}

// records draws a batch.
func records() *rapid.Generator[[]record.Record] {
	line := logLine()
	one := rapid.Custom(func(t *rapid.T) record.Record {
		return record.Record{
			Time:    rapid.OneOf(rapid.Int64Range(1_790_000_000_000, 1_790_000_000_100), rapid.Int64()).Draw(t, "time"),
			Status:  rapid.SampledFrom([]string{"", "info", "error", "\xff\x00"}).Draw(t, "status"),
			Tags:    rapid.OneOf(rapid.SampledFrom([]string{"", "service:a", "service:b,env:\xfe"}), rapid.String()).Draw(t, "tags"),
			Message: line.Draw(t, "message"),
		}
	})
	return rapid.SliceOfN(one, 0, 30)
}

// TestRoundTrip sends random batches through an encoder that has hardly any room,
// so that it evicts and starts afresh, with a Reset now and then.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := Options{
			MaxPatterns:   rapid.SampledFrom([]int{1, 3, 100}).Draw(t, "patterns"),
			MaxStateBytes: rapid.SampledFrom([]int{minStateBytes, 1 << 20}).Draw(t, "state"),
		}
		e, err := NewEncoder(o)
		require.NoError(t, err)
		twin, err := NewEncoder(o)
		require.NoError(t, err)
		d := NewDecoder(Limits{})
		for range rapid.IntRange(1, 12).Draw(t, "batches") {
			recs := records().Draw(t, "records")
			if rapid.IntRange(0, 9).Draw(t, "reset") == 0 {
				e.Reset()
				twin.Reset()
			}
			data, bs, err := e.Encode(nil, recs)
			require.NoError(t, err)
			again, _, err := twin.Encode(nil, recs)
			require.NoError(t, err)
			require.Equal(t, data, again, "the encoder is deterministic")
			require.Equal(t, len(recs), bs.Lines)
			same(t, recs, collect(t, d, data))
			require.Equal(t, e.Stats().StateBytes, d.StateBytes())
			require.LessOrEqual(t, d.StateBytes(), max(o.MaxStateBytes, minStateBytes))
		}
	})
}

// TestBudgetOfOddSize covers a budget that the batch's head cannot say exactly.
func TestBudgetOfOddSize(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{MaxStateBytes: minStateBytes + 1023})
	for i := range 40 {
		var lines []string
		for j := range 40 {
			lines = append(lines, fmt.Sprintf("pattern%s of %d and %d", string(rune('a'+i%26))+string(rune('a'+j%13)), i, j))
		}
		p.send(messages(lines...))
	}
	require.Positive(t, p.e.Stats().Resets)
}
