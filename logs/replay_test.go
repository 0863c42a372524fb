package logs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/internal/disk"
	"github.com/vigil-agent/vigil/logs/quarantine"
	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/stream"
)

func TestReplay(t *testing.T) {
	t.Parallel()
	b := &backend{}
	b.start(t, "")
	b.stop(t)
	dir := t.TempDir()
	cfg := valid()
	cfg.Endpoint.Address = b.address
	w := quarantine.NewWriter(dir, 0)
	got, err := Replay(t.Context(), cfg, w.Path(), Deps{})
	require.NoError(t, err)
	require.Equal(t, Replayed{}, got, "no file, no lines")
	for _, text := range []string{"one", "", "\xff\x00"} {
		require.NoError(t, w.Put(record.Record{Message: []byte(text), Tags: "service:a", Origin: record.Origin{Source: "s", End: 9}}, "poison", errors.New("no")))
	}

	// The receiving side is away: they stay beside.
	got, err = Replay(canceledSoon(t, 300*time.Millisecond), cfg, w.Path(), Deps{})
	var unacked *stream.UnackedError
	require.ErrorAs(t, err, &unacked)
	require.Equal(t, Replayed{Kept: []string{w.Path() + ".replaying"}}, got)
	require.NoError(t, w.Put(record.Record{Message: []byte("later")}, "size", nil))

	b.start(t, "")
	got, err = Replay(soon(t), cfg, w.Path(), Deps{})
	require.NoError(t, err)
	require.Equal(t, Replayed{Delivered: 4}, got)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, left)
	text, _ := b.received(t)
	require.Equal(t, "one\n\n\xff\x00\nlater\n", text)
}

func TestReplayOfDamagedAndRefusedLines(t *testing.T) {
	t.Parallel()
	b := &backend{}
	b.start(t, "")
	dir := t.TempDir()
	cfg := valid()
	cfg.Endpoint.Address = b.address
	w := quarantine.NewWriter(dir, 0)
	// A message that fits into no payload, whatever its encoding.
	huge := make([]byte, 5<<20)
	for i, x := 0, uint32(1); i < len(huge); i++ {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		huge[i] = byte(x)
	}
	require.NoError(t, w.Put(record.Record{Message: huge}, "size", nil))
	require.NoError(t, w.Put(record.Record{Message: []byte("fine")}, "size", nil))
	file, err := os.OpenFile(w.Path(), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = file.WriteString("{\n")
	require.NoError(t, err)
	require.NoError(t, file.Close())

	got, err := Replay(soon(t), cfg, w.Path(), Deps{})
	require.NoError(t, err)
	kept, err := filepath.Glob(w.Path() + ".replaying.damaged-*")
	require.NoError(t, err)
	require.Len(t, kept, 1)
	require.Equal(t, Replayed{Delivered: 1, Refused: 1, Unreadable: 1, Kept: []string{kept[0], w.Path()}}, got)
	text, _ := b.received(t)
	require.Equal(t, "fine\n", text)

	// Another damaged file takes the place of none.
	require.NoError(t, os.WriteFile(w.Path(), []byte("}\n"), 0o600))
	_, err = Replay(soon(t), cfg, w.Path(), Deps{})
	require.NoError(t, err)
	kept, err = filepath.Glob(w.Path() + ".replaying.damaged-*")
	require.NoError(t, err)
	require.Len(t, kept, 2)
}

func TestReplayIsAlone(t *testing.T) {
	t.Parallel()
	w := quarantine.NewWriter(t.TempDir(), 0)
	require.NoError(t, w.Put(record.Record{Message: []byte("x")}, "size", nil))
	other, err := os.Open(filepath.Dir(w.Path()))
	require.NoError(t, err)
	require.NoError(t, disk.Lock(other))
	_, err = Replay(soon(t), valid(), w.Path(), Deps{})
	require.EqualError(t, err, "logs: replay: wait for the one that runs: "+filepath.Dir(w.Path())+" is held by another process")
	require.NoError(t, other.Close())
	got, err := Replay(soon(t), valid(), filepath.Join(t.TempDir(), "no", "lines.ndjson"), Deps{})
	require.NoError(t, err)
	require.Equal(t, Replayed{}, got)
}
