package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// Every method carries every byte, or is caught: carriage returns, bytes outside
// UTF-8, empty lines and a last line without an end included.
func TestEveryMethodOnOddLines(t *testing.T) {
	c, err := readCorpus(file(t, "odd.log", "plain 1\nplain 22\r\n\n\xff\xfe binary \x00\x1b[31m\n{\"a\": 1}\n\n  spaces  \nlast"), 0, 1)
	require.NoError(t, err)
	require.Len(t, c.recs, 8)
	for _, m := range methods() {
		for _, batch := range []int{1, 3, 100} {
			r, err := measure(c, m, batch)
			require.NoError(t, err, m.name)
			require.Positive(t, r.Bytes, m.name)
			require.Equal(t, m.metadata && m.name != "columns", r.Replaced == 1, m.name)
		}
	}
}

func TestGeneratedCorporaOfEveryKind(t *testing.T) {
	var out bytes.Buffer
	svg, profile := filepath.Join(t.TempDir(), "plot.svg"), filepath.Join(t.TempDir(), "cpu.out")
	require.NoError(t, run(t.Context(), []string{"-lines", "100", "-batches", "20,200", "-json", "-svg", svg, "-profile", profile}, &out))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	perCorpus := 2*len(methods()) + 1
	if len(lines)%perCorpus != 0 {
		perCorpus-- // xz is not installed
	}
	require.Len(t, lines, 11*perCorpus)
	for _, line := range lines {
		var r result
		require.NoError(t, json.Unmarshal([]byte(line), &r))
		require.Greater(t, r.Raw, r.Bytes/2, line)
		require.Positive(t, r.Bytes, line)
		require.Positive(t, r.Floor, line)
		if r.Metadata {
			require.Greater(t, float64(r.Bytes), r.Floor, "below what was drawn: %s", line)
		}
	}
	text, err := os.ReadFile(profile)
	require.NoError(t, err)
	require.Equal(t, "\x1f\x8b", string(text[:2]), "a profile is gzip")
	text, err = os.ReadFile(svg)
	require.NoError(t, err)
	require.Equal(t, 11, strings.Count(string(text), "<g transform=\"translate(")-strings.Count(string(text), ",44)"))
}

// spoilt is a codec that changes one byte on the wire.
type spoilt struct{ codec }

func (s spoilt) encode(dst []byte, recs []record.Record) ([]byte, error) {
	changed := append([]record.Record{}, recs...)
	changed[len(changed)-1].Message = []byte("something else")
	return s.codec.encode(dst, changed)
}

func TestAWrongByteIsAFailure(t *testing.T) {
	c, err := readCorpus(file(t, "a.log", "one\ntwo\nthree\n"), 0, 1)
	require.NoError(t, err)
	for _, m := range methods() {
		open := m.open
		m.open = func() (codec, error) {
			stream, err := open()
			return spoilt{stream}, err
		}
		_, err := measure(c, m, 2)
		require.ErrorContains(t, err, "what was decoded is not what was encoded: batch 1", m.name)
	}
}

func TestMatcher(t *testing.T) {
	t.Parallel()
	want := []record.Record{{Time: 1, Status: "info", Tags: "a:b", Message: []byte("x\xff")}}
	for name, c := range map[string]struct {
		m    matcher
		err  string
		time int64
		text string
	}{
		"same":              {matcher{want: want}, "", 1, "x\xff"},
		"replaced, allowed": {matcher{want: want, lossy: true}, "", 1, "x\ufffd"},
		"replaced":          {matcher{want: want}, `line 1 of 1: sent "x\xff", got "x�"`, 1, "x\ufffd"},
		"time":              {matcher{want: want}, `line 1 of 1: sent time 1, status "info", tags "a:b"; got 2, "info", "a:b"`, 2, "x\xff"},
		"too many":          {matcher{want: want, next: 1}, `line 2 of 1: nothing was sent but "y" arrived`, 1, "y"},
	} {
		err := c.m.match(c.time, "info", "a:b", []byte(c.text))
		if c.err == "" {
			require.NoError(t, err, name)
			require.NoError(t, c.m.done(), name)
			continue
		}
		require.EqualError(t, err, c.err, name)
	}
	require.EqualError(t, (&matcher{want: want}).done(), "0 of 1 lines arrived")
}

func TestFeedEndsWithTheBatch(t *testing.T) {
	t.Parallel()
	f := feed{data: []byte("ab")}
	got, err := io.ReadAll(&f)
	require.Equal(t, "ab", string(got))
	require.ErrorIs(t, err, errAhead)
}

func TestWrongArguments(t *testing.T) {
	for args, want := range map[string]string{
		"-lines -1":       "wrong arguments: -lines -1: use a positive number",
		"-batches 20,x":   `wrong arguments: -batches "20,x": use positive numbers with commas between them`,
		"-batches 0":      `wrong arguments: -batches "0": use positive numbers with commas between them`,
		"-methods gzip":   `wrong arguments: -methods: no "gzip"; there are ` + strings.Join(names(), ", "),
		"/does/not/exist": "open /does/not/exist: no such file or directory",
	} {
		require.EqualError(t, run(t.Context(), strings.Fields(args), io.Discard), want)
	}
	require.EqualError(t, run(t.Context(), []string{file(t, "empty.log", "")}, io.Discard), "corpus empty: no lines")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, []string{file(t, "a.log", "x\n")}, io.Discard), context.Canceled)
}

func TestCorpora(t *testing.T) {
	t.Parallel()
	a, err := readCorpus(file(t, "a.log", "1 ERROR x\n2 WARN y\n3 info\n"), 2, 1)
	require.NoError(t, err)
	b, err := readCorpus(file(t, "b.log", "x\ny\nz\n"), 0, 1)
	require.NoError(t, err)
	require.Equal(t, 19, a.raw)
	require.Equal(t, "error warn", a.recs[0].Status+" "+a.recs[1].Status)
	require.LessOrEqual(t, a.recs[0].Time, a.recs[1].Time)
	all := interleave([]*corpus{a, b})
	require.Equal(t, "1 ERROR x\nx\n2 WARN y\ny\nz\n", string(appendLines(nil, all.recs)))
	require.Equal(t, 25, all.raw)
	g, err := makeCorpus("nginx", 10, 1)
	require.NoError(t, err)
	require.Len(t, g.recs, 10)
	require.Zero(t, interleave([]*corpus{g, a}).floor, "part of it is unknown")
	require.InDelta(t, 2*g.floor, interleave([]*corpus{g, g}).floor, 0)
}

// fixed results, as a run could have them.
func fixedResults() []result {
	var all []result
	for i, c := range []string{"nginx", "a <b>", interleaved} {
		floor := 12_345.6
		if i > 0 {
			floor = 0
		}
		for j, batch := range []int{20, 1000} {
			for k, m := range methods() {
				all = append(all, result{
					Corpus: c, Method: m.name, Metadata: m.metadata, Batch: batch, Lines: 1000, Raw: 1_000_000 * (i + 1), Floor: floor,
					Bytes: 100_000 * (1 + i) * (4 + k - 2*j) / 4, Encode: 0.5 + float64(k), Decode: 0.25, Allocs: 0.0123, State: 4096 * k, Replaced: k % 2,
				})
			}
		}
		all = append(all, result{Corpus: c, Method: xzMethod, Lines: 1000, Raw: 1_000_000 * (i + 1), Floor: floor, Bytes: 40_000, Encode: 20, Decode: 1})
	}
	return all
}

func TestTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	all := fixedResults()
	per := len(all) / 3
	c := &corpus{name: "nginx", recs: make([]record.Record, 1000), raw: 1_000_000, floor: 12_345.6}
	printCorpus(&out, c, all[:per], nil)
	c = &corpus{name: "a <b>", recs: make([]record.Record, 1000), raw: 2_000_000}
	printCorpus(&out, c, all[per:2*per-1], []string{xzMethod + ": " + errNoXZ.Error()})
	printSummary(&out, all)
	golden(t, "table.golden", out.Bytes())
}

func TestPlot(t *testing.T) {
	t.Parallel()
	text := plot(fixedResults())
	golden(t, "plot.golden.svg", text)
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		if _, err := d.Token(); err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
	}
	for _, m := range append(names(), floorName) {
		require.NotEmpty(t, looks[m], m)
	}
}

func TestXZIsOptional(t *testing.T) {
	c, err := makeCorpus("nginx", 50, 1)
	require.NoError(t, err)
	t.Setenv("PATH", t.TempDir())
	results, notes, err := measureCorpus(t.Context(), c, options{xz: true})
	require.NoError(t, err)
	require.Empty(t, results)
	require.Equal(t, []string{"xz -9: not measured: install xz-utils"}, notes)
}

func TestTicks(t *testing.T) {
	t.Parallel()
	for top, want := range map[float64]float64{0: 1, 4: 1, 9: 2, 19: 5, 26: 10, 1_000_000: 200_000} {
		require.InDelta(t, want, tick(top), 0, "%v", top)
	}
	require.Equal(t, "0 B 999 B 1 kB 1.5 MB", strings.Join([]string{size(0), size(999), size(1000), size(1.5e6)}, " "))
	require.Equal(t, "1 12 123 1,234 1,234,567", strings.Join([]string{group(1), group(12), group(123), group(1234), group(1234567)}, " "))
}
