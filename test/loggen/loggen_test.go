package loggen

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden file anew")

func open(t *testing.T, kind string, seed uint64) *Generator {
	t.Helper()
	g, err := New(kind, seed)
	require.NoError(t, err)
	return g
}

// The lines of a seed are a promise: measurements of different days compare.
func TestLinesOfASeed(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	for _, kind := range Kinds() {
		g := open(t, kind, 1)
		fmt.Fprintf(&out, "== %s\n", kind)
		for range 12 {
			l := g.Line()
			fmt.Fprintf(&out, "%d %s %q\n", l.Time, l.Status, l.Message)
		}
		fmt.Fprintf(&out, "%.3f bits\n", g.Bits())
	}
	const golden = "testdata/kinds.golden"
	if *update {
		require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())
}

func TestSeedsAndKindsDiffer(t *testing.T) {
	t.Parallel()
	text := func(kind string, seed uint64) string {
		var b strings.Builder
		require.NoError(t, open(t, kind, seed).Write(&b, 50))
		return b.String()
	}
	first := text("nginx", 7)
	require.Equal(t, first, text("nginx", 7))
	require.NotEqual(t, first, text("nginx", 8))
	require.NotEqual(t, first, text("sshd", 7))
}

func TestEveryKind(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		g := open(t, kind, 3)
		now, statuses, returns, breaks := int64(0), map[string]int{}, 0, 0
		for range 5000 {
			l := g.Line()
			require.GreaterOrEqual(t, l.Time, now, kind)
			require.True(t, utf8.Valid(l.Message), kind)
			require.NotContains(t, string(l.Message), "{=", kind)
			now = l.Time
			statuses[l.Status]++
			returns += bytes.Count(l.Message, []byte("\r"))
			breaks += bytes.Count(l.Message, []byte("\n"))
		}
		for status := range statuses {
			require.Contains(t, []string{"debug", "info", "warn", "error"}, status, kind)
		}
		require.Greater(t, statuses["info"], statuses["warn"], kind)
		require.Greater(t, statuses["warn"], statuses["error"], kind)
		require.NotZero(t, statuses["error"], kind)
		require.Equal(t, kind == "windows", returns == 5000, kind)
		require.Equal(t, kind == "java", breaks > 0, kind)
	}
}

// No compressor gets below what was drawn, and none is needed to stay below the
// text itself.
func TestBitsAreAFloor(t *testing.T) {
	t.Parallel()
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	require.NoError(t, err)
	for _, kind := range Kinds() {
		g := open(t, kind, 5)
		var text bytes.Buffer
		now := int64(epoch / 1000)
		for range 5000 {
			l := g.Line()
			// Time and status are part of what was drawn.
			fmt.Fprintf(&text, "%d %s %s\n", l.Time-now, l.Status, l.Message)
			now = l.Time
		}
		floor := g.Bits() / 8
		require.Greater(t, float64(len(enc.EncodeAll(text.Bytes(), nil))), floor, kind)
		require.Greater(t, floor, 5000.0, kind)
	}
}

func TestDrawsAreCounted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		f    field
		bits float64
	}{
		"one of eight":    {uniform(1, 8), 3},
		"three digits":    {digits(3), 3 * math.Log2(10)},
		"64 bits":         {signed, 64},
		"hexadecimal":     {hexadecimal(32), 128},
		"uuid":            {uuid, 122},
		"suffix":          {suffix(5), 5 * math.Log2(27)},
		"two octets":      {address("10.4.", 2), 2 * math.Log2(254)},
		"certain":         {integer(7, weights(0, 1), 1), 0},
		"a half":          {integer(7, weights(1, 1), 1), 1},
		"fixed, at first": {fixed(uuid), 122},
		"time":            {clock("2006"), 0},
	} {
		g := open(t, "nginx", 1)
		before := g.Bits()
		c.f(g, nil)
		require.InDelta(t, c.bits, g.Bits()-before, 1e-9, name)
	}
	g := open(t, "nginx", 1)
	f := fixed(uuid)
	first := f(g, nil)
	before := g.Bits()
	require.Equal(t, first, f(g, nil))
	require.InDelta(t, before, g.Bits(), 1e-9, "what is known costs nothing")
}

// Over many draws the information of the outcomes comes to the entropy of the
// distribution, which is so only when outcomes come as often as declared.
func TestDistributions(t *testing.T) {
	t.Parallel()
	for name, d := range map[string]dist{
		"even":        weights(1, 1, 1, 1),
		"skewed":      weights(90, 9, 1),
		"zipf":        zipf(500, 1.1),
		"exponential": exponential(20),
		"lognormal":   lognormal(30, 1, 4000),
	} {
		g := open(t, "nginx", 1)
		before, sum := g.Bits(), 0
		const n = 200_000
		for range n {
			sum += g.chance.from(d)
		}
		entropy, mean := 0.0, 0.0
		for i := range d {
			p := d.probability(i)
			entropy -= p * math.Log2(p)
			mean += p * float64(i)
		}
		require.InEpsilon(t, entropy, (g.Bits()-before)/n, 0.01, name)
		require.InEpsilon(t, mean, float64(sum)/n, 0.02, name)
	}
	require.InDelta(t, 2, weights(1, 1, 1, 1).probability(0)*8, 0)
	half := 0.0
	for i := range 30 {
		half += lognormal(30, 1, 4000).probability(i)
	}
	require.InDelta(t, 0.5, half, 0.01, "the median of lognormal")
}

func TestNumberedLines(t *testing.T) {
	t.Parallel()
	for _, kind := range Kinds() {
		g, plain := open(t, kind, 2), open(t, kind, 2)
		g.Numbered(17)
		for i := range uint64(300) {
			line, bare := g.Line().Message, plain.Line().Message
			n, ok := Number(line)
			require.True(t, ok, kind)
			require.Equal(t, 17+i, n, kind)
			if kind == "json" {
				require.Equal(t, fmt.Sprintf(`{"seq":%d,%s`, n, bare[1:]), string(line))
			} else {
				require.Equal(t, fmt.Sprintf("seq=%d %s", n, bare), string(line))
			}
		}
		require.InDelta(t, plain.Bits(), g.Bits(), 0, "a number is no chance")
	}
	for _, text := range []string{"", "seq=", "seq= x", "seq=1", "seq=x 1", `{"seq":4}`, `{"seq":"4",`, "nothing"} {
		_, ok := Number([]byte(text))
		require.False(t, ok, text)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	var got, want bytes.Buffer
	require.NoError(t, open(t, "java", 4).Write(&got, 200))
	g := open(t, "java", 4)
	for range 200 {
		want.Write(append(g.Line().Message, '\n'))
	}
	require.Equal(t, want.String(), got.String())
	r, w := io.Pipe()
	require.NoError(t, r.CloseWithError(errors.New("full")))
	require.EqualError(t, open(t, "java", 4).Write(w, 1), "write lines: full")
}

func TestMistakesAreNamed(t *testing.T) {
	t.Parallel()
	_, err := New("ngnix", 1)
	require.EqualError(t, err, `no kind "ngnix" of logs; there are api, blocks, java, json, k8s, logfmt, nginx, sshd, unicode, windows`)
	k := kind{fields: map[string]field{"a": uuid}, parts: map[string]part{"p": {1, []string{"{b}"}}}}
	for text, want := range map[string]string{
		"x {a} {b}": "no field {b}",
		"x {p}":     "no field {b}",
		"x {a":      `template "x {a": a brace is not closed`,
	} {
		_, err := k.compile(text, slots{})
		require.EqualError(t, err, want)
	}
}

func BenchmarkLine(b *testing.B) {
	for _, kind := range Kinds() {
		b.Run(kind, func(b *testing.B) {
			g, err := New(kind, 1)
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				g.Line()
			}
		})
	}
}
