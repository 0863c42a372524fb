package logs

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/stream"
)

// nullShipper acknowledges at once, so that what is left is the way from the
// file to the stream.
type nullShipper struct{ durable func(uint64, []record.Origin) }

func (s nullShipper) Start(context.Context) error { return nil }
func (s nullShipper) Append(_ context.Context, lines []record.Record) error {
	s.durable(0, []record.Origin{lines[len(lines)-1].Origin})
	return nil
}

func (s nullShipper) AppendSeq(ctx context.Context, _ uint64, lines []record.Record) error {
	return s.Append(ctx, lines)
}
func (s nullShipper) Renew()                      {}
func (s nullShipper) Flush(context.Context) error { return nil }
func (s nullShipper) Stop(context.Context) error  { return nil }
func (s nullShipper) Stats() stream.Stats         { return stream.Stats{} }

// BenchmarkFileToStream is what reading, batching and offsets cost per line, the
// encoder excluded.
func BenchmarkFileToStream(b *testing.B) {
	const lines = 500_000
	line := "2026-10-09T08:07:06.543Z INFO http request done method=GET path=/v1/items/4711 status=200 took=1.234ms\n"
	dir := b.TempDir()
	cfg := valid()
	cfg.Sources[0] = SourceConfig{Type: SourceFile, Path: dir + "/app.log", StartAt: StartAtBeginning}
	require.NoError(b, os.WriteFile(dir+"/app.log", []byte(strings.Repeat(line, lines)), 0o600))
	b.SetBytes(lines * int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		cfg.RunPath = b.TempDir()
		e, err := New(cfg, Deps{})
		require.NoError(b, err)
		e.newShipper = func(_ stream.Config, deps stream.Deps) (shipper, error) { return nullShipper{deps.OnDurable}, nil }
		require.NoError(b, e.Start(b.Context()))
		require.NoError(b, e.Flush(b.Context()))
		require.Equal(b, int64(lines*len(line)), e.Status().Files[0].Offset)
		require.NoError(b, e.Stop(b.Context()))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/lines, "ns/line")
}
