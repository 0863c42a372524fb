package columns

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

var update = flag.Bool("update", false, "write the test vectors")

// vector is a stream of batches: what FORMAT.md refers to. Hex is what this encoder
// makes of the lines; a decoder must make the lines of it.
type vector struct {
	Name    string        `json:"name"`
	Batches []vectorBatch `json:"batches"`
}

type vectorBatch struct {
	Hex        string       `json:"hex"`
	StateBytes int          `json:"state_bytes"`
	Lines      []vectorLine `json:"lines"`
}

type vectorLine struct {
	Time    int64  `json:"time"`
	Status  string `json:"status"`
	Tags    string `json:"tags"`
	Message []byte `json:"message"` // base64
}

// vectorStreams are the lines of the vectors.
func vectorStreams() map[string][][]record.Record {
	log := messages(
		"2026-09-21 06:16:43,837 INFO conn from 10.1.2.3:4711 accepted",
		"2026-09-21 06:16:43,838 INFO conn from 10.1.2.4:4712 accepted",
		"2026-09-21 06:16:43,838 INFO conn from 10.1.2.3:4713 accepted",
		"2026-09-21 06:16:44,101 WARN job 550e8400-e29b-41d4-a716-446655440000 late by 00012 ms",
		"2026-09-21 06:16:45,500 WARN job 6ba7b810-9dad-11d1-80b4-00c04fd430c8 late by 00310 ms",
		"2026-09-21 06:16:45,733 INFO job 6ba7b810-9dad-11d1-80b4-00c04fd430c8 done",
	)
	log[3].Status, log[4].Status = "warn", "warn"
	log[5].Tags = "service:b"
	later := messages(
		"2026-09-21 06:17:01,007 INFO conn from 10.1.2.9:4720 accepted",
		"2026-09-21 06:17:02,250 WARN job 7ba7b810-9dad-11d1-80b4-00c04fd430c9 late by 00007 ms",
		"bytes \x00\xff\r",
	)
	long := benchLines(600)
	return map[string][][]record.Record{
		"long":     {long[:300], long[300:310], long[310:]},
		"empty":    {nil},
		"plain":    {messages("hello, world")},
		"repeated": {messages("user 1 logged in", "user 2 logged in", "user 3 logged in"), messages("user 4 logged in")},
		"typed":    {log, later},
	}
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for name, stream := range vectorStreams() {
		path := filepath.Join("testdata", "vectors", name+".json")
		if *update {
			writeVector(t, path, name, stream)
		}
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		var v vector
		require.NoError(t, json.Unmarshal(data, &v))
		e, err := NewEncoder(Options{})
		require.NoError(t, err)
		d := NewDecoder(Limits{})
		require.Len(t, v.Batches, len(stream))
		for i, b := range v.Batches {
			batch, err := hex.DecodeString(b.Hex)
			require.NoError(t, err)
			var want []record.Record
			for _, l := range b.Lines {
				want = append(want, record.Record{Time: l.Time, Status: l.Status, Tags: l.Tags, Message: l.Message})
			}
			same(t, stream[i], want)
			same(t, want, collect(t, d, batch))
			require.Equal(t, b.StateBytes, d.StateBytes(), name)
			got, _, err := e.Encode(nil, stream[i])
			require.NoError(t, err)
			if !strings.EqualFold(hex.EncodeToString(got), b.Hex) {
				t.Logf("%s, batch %d: the encoder has come to choose otherwise than the vector, which it may", name, i)
			}
		}
	}
}

func writeVector(t *testing.T, path, name string, stream [][]record.Record) {
	t.Helper()
	e, err := NewEncoder(Options{})
	require.NoError(t, err)
	v := vector{Name: name}
	for _, recs := range stream {
		data, _, err := e.Encode(nil, recs)
		require.NoError(t, err)
		b := vectorBatch{Hex: hex.EncodeToString(data), StateBytes: e.Stats().StateBytes, Lines: []vectorLine{}}
		for _, r := range recs {
			b.Lines = append(b.Lines, vectorLine{Time: r.Time, Status: r.Status, Tags: r.Tags, Message: r.Message})
		}
		v.Batches = append(v.Batches, b)
	}
	data, err := json.MarshalIndent(v, "", " ")
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, append(data, '\n'), 0o644))
}
