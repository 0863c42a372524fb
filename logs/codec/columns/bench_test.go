package columns

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// benchLines makes lines of a few services with typed values.
func benchLines(n int) []record.Record {
	rng := rand.New(rand.NewPCG(1, 2))
	recs := make([]record.Record, n)
	ms := int64(1_790_000_000_000)
	for i := range recs {
		ms += int64(rng.ExpFloat64() * 20)
		clock := fmt.Sprintf("2026-09-21 %02d:%02d:%02d,%03d", ms/3600000%24, ms/60000%60, ms/1000%60, ms%1000)
		var line string
		switch rng.IntN(5) {
		case 0:
			line = fmt.Sprintf("%s INFO [worker-%d] request %08x-%04x-4%03x-a%03x-%012x served in %dms", clock, rng.IntN(8), rng.Uint32(), rng.IntN(1<<16), rng.IntN(1<<12), rng.IntN(1<<12), rng.Uint64()>>16, rng.IntN(900))
		case 1:
			line = fmt.Sprintf("%s INFO [acceptor] connection from 10.%d.%d.%d:%d accepted", clock, rng.IntN(256), rng.IntN(256), rng.IntN(256), 1024+rng.IntN(60000))
		case 2:
			line = fmt.Sprintf("%s WARN [cache] miss for key user:%d, %d entries", clock, rng.IntN(1000000), 4096+i)
		case 3:
			line = fmt.Sprintf(`{"time":"%s","level":"debug","msg":"query done","rows":%d,"table":"t_%d","took":%.3f}`, clock, rng.IntN(50), rng.IntN(12), rng.ExpFloat64())
		default:
			line = fmt.Sprintf("%s INFO [gc] heap %d MiB, pause %dus", clock, 300+rng.IntN(40), 100+rng.IntN(100))
		}
		recs[i] = record.Record{Time: ms, Status: "info", Tags: "service:bench,env:prod", Message: []byte(line)}
	}
	return recs
}

// BenchmarkEncode also gives what the same lines take with nothing but a zstd
// window.
func BenchmarkEncode(b *testing.B) {
	recs := benchLines(120_000) // more than a window holds, or zstd would find them all again
	for _, size := range []int{20, 200, 1000} {
		b.Run(fmt.Sprintf("columns/%d", size), func(b *testing.B) {
			e, err := NewEncoder(Options{})
			require.NoError(b, err)
			var dst []byte
			for i := 0; i < 20_000; i += size {
				dst, _, err = e.Encode(dst[:0], recs[i:i+size])
				require.NoError(b, err)
			}
			b.ReportAllocs()
			lines, raw, data, i := 0, 0, 0, 0
			for b.Loop() {
				dst, bs, err := e.Encode(dst[:0], recs[i:i+size])
				if err != nil {
					b.Fatal(err)
				}
				lines, raw, data, i = lines+size, raw+bs.RawBytes, data+len(dst), (i+size)%len(recs)
			}
			report(b, lines, raw, data)
		})
		b.Run(fmt.Sprintf("zstd/%d", size), func(b *testing.B) {
			var z bytes.Buffer
			w, err := zstd.NewWriter(&z, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20))
			require.NoError(b, err)
			var text []byte
			b.ReportAllocs()
			lines, raw, data, i := 0, 0, 0, 0
			for b.Loop() {
				text = text[:0]
				for _, r := range recs[i : i+size] {
					text = append(append(text, r.Message...), '\n')
				}
				z.Reset()
				if _, err := w.Write(text); err != nil {
					b.Fatal(err)
				}
				if err := w.Flush(); err != nil {
					b.Fatal(err)
				}
				lines, raw, data, i = lines+size, raw+len(text), data+z.Len(), (i+size)%len(recs)
			}
			report(b, lines, raw, data)
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	recs := benchLines(20000)
	for _, size := range []int{20, 200, 1000} {
		b.Run(fmt.Sprintf("columns/%d", size), func(b *testing.B) {
			e, err := NewEncoder(Options{})
			require.NoError(b, err)
			var stream [][]byte
			for i := 0; i < len(recs); i += size {
				data, _, err := e.Encode(nil, recs[i:i+size])
				require.NoError(b, err)
				stream = append(stream, data)
			}
			b.ReportAllocs()
			var d *Decoder
			lines, raw, data, i := 0, 0, 0, 0
			for b.Loop() {
				if i == 0 {
					b.StopTimer()
					d = NewDecoder(Limits{})
					b.StartTimer()
				}
				if err := d.Decode(stream[i], func(l Line) error { lines++; raw += len(l.Message); return nil }); err != nil {
					b.Fatal(err)
				}
				data += len(stream[i])
				i = (i + 1) % len(stream)
			}
			report(b, lines, raw, data)
		})
	}
}

func report(b *testing.B, lines, raw, data int) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(lines), "ns/line")
	b.ReportMetric(100*float64(data)/float64(raw), "%raw")
}
