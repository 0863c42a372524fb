package spool

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// hdfs are 1000 lines of the usual length.
func hdfs() []record.Record {
	out := make([]record.Record, 1000)
	end := int64(0)
	for i := range out {
		m := fmt.Appendf(nil, "081109 203615 %d INFO dfs.DataNode$PacketResponder: PacketResponder %d for block blk_%d terminating, received block of size 67108864", i, i%3, i*7919)
		end += int64(len(m)) + 1
		out[i] = record.Record{Time: 1730000000000 + int64(i/10), Status: "info", Tags: "hostname:h,service:app,ddsource:go", Message: m, Origin: record.Origin{Source: "fe01-2a3f-9b", End: end}}
	}
	return out
}

func perLine(b *testing.B, n int) {
	b.Helper()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/line")
}

func BenchmarkEncode(b *testing.B) {
	recs := hdfs()
	var (
		e   encoder
		buf []byte
	)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = e.append(buf[:0], recs)
	}
	perLine(b, len(recs))
}

func BenchmarkDecode(b *testing.B) {
	var (
		e encoder
		d decoder
	)
	body, _ := e.append(nil, hdfs())
	var recs []record.Record
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if recs, err = d.decode(recs[:0], body); err != nil {
			b.Fatal(err)
		}
	}
	perLine(b, len(recs))
}

// BenchmarkThrough is all that the spool adds to a batch: append, read, acknowledge.
func BenchmarkThrough(b *testing.B) {
	recs := hdfs()
	for _, sync := range []Sync{SyncOff, SyncInterval, SyncBatch} {
		b.Run(string(sync), func(b *testing.B) {
			s := openSpool(b, Config{Dir: b.TempDir(), Sync: sync})
			var batch Batch
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Append(b.Context(), recs); err != nil {
					b.Fatal(err)
				}
				if err := s.Next(b.Context(), &batch); err != nil {
					b.Fatal(err)
				}
				if err := s.Ack(batch.Seq); err != nil {
					b.Fatal(err)
				}
			}
			perLine(b, len(recs))
			require.Zero(b, s.Stats().Lost)
		})
	}
}
