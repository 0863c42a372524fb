package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/bpf"
)

func TestTables(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	results{
		Hits: []hit{
			{What: "not probed", NS: 3.4},
			{Site: push, What: emptyProgram, NS: 700, Program: 1, Probe: 0.7},
			{Site: push, What: graph, NS: 1500.4, Program: 2.14, Probe: 1.5, Lost: 2},
		},
		Decodings: []decoding{{What: graph, Bytes: 2048, NS: 3000, NSPerKiB: 1500}},
		Firsts:    []first{{Program: "go", Size: 20 << 20, Seconds: 0.234, PeakRSS: 34 << 20, Anonymous: 20 << 20}},
	}.print(&b)
	require.Equal(t, `  a hit       what is captured    ns  x empty program  x empty probe  lost
                    not probed     3                -              -     0
   push          empty program   700             1.00           0.70     0
   push  stack, graph of 1 KiB  1500             2.14           1.50     2
aim: 1 KiB in at most 1.5 times the empty probe at the same site

      decode and encode  bytes of JSON    ns  ns/KiB  allocs
  stack, graph of 1 KiB           2048  3000    1500    0.00
aim: at most 2000 ns/KiB, no allocation

  first probe in  MB  seconds  peak RSS MB  anonymous MB
              go  20     0.23           34            20
aim: 0.4 s in 20 MB, 1 s in more than 100 MB, with at most 100 MB of memory
`, b.String())
}

func TestWrongArguments(t *testing.T) {
	t.Parallel()
	for arguments, want := range map[string]string{
		"-only hit":        `wrong arguments: -only: no "hit"; there are hits, decode, first`,
		"-rounds 0":        "wrong arguments: use at least 1 round, 10 calls and 1 snapshot",
		"-only hits extra": `wrong arguments: "extra": there are flags only`,
	} {
		_, err := parse(strings.Fields(arguments))
		require.EqualError(t, err, want)
		require.ErrorIs(t, err, errUsage)
	}
}

// TestEveryKindOfHit measures each once, a few calls of it.
func TestEveryKindOfHit(t *testing.T) {
	if err := bpf.Supported(); errors.Is(err, bpf.ErrNotSupported) && os.Getenv("VIGIL_REQUIRE_BPF") != "1" {
		t.Skip(err)
	}
	r, err := measure(t.Context(), options{rounds: 1, calls: 10, snapshots: 10, only: []string{"hits", "decode"}})
	require.NoError(t, err)
	require.Len(t, r.Hits, 1+len(sites())*len(kinds))
	for _, h := range r.Hits {
		require.Positive(t, h.NS, "%s %s", h.Site, h.What)
	}
	for _, d := range r.Decodings {
		require.Greater(t, d.Bytes, 1024)
	}
}
