package pattern

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpora are the lines that benchmarks run on: the built-in ones, and those of the
// log files in the directory LOGS_CORPUS, if there are any.
func corpora(b *testing.B) map[string][][]byte {
	b.Helper()
	var lines [][]byte
	for i := range 1000 {
		lines = append(lines, fmt.Appendf(nil, "2026-03-09 06:00:%02d,%03d INFO [main] a.b.C: conn %d from 10.0.%d.1:80 took %dms, id 123e4567-e89b-12d3-a456-%012x",
			i%60, i, i*7, i%256, i%90, i*i))
	}
	out := map[string][][]byte{"built-in": lines}
	files, err := filepath.Glob(filepath.Join(os.Getenv("LOGS_CORPUS"), "*.log"))
	if err != nil || os.Getenv("LOGS_CORPUS") == "" {
		return out
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		lines := bytes.Split(bytes.TrimRight(text, "\n"), []byte("\n"))
		out[strings.TrimSuffix(filepath.Base(f), ".log")] = lines[:min(len(lines), 20_000)]
	}
	return out
}

func BenchmarkTokenize(b *testing.B) {
	for name, lines := range corpora(b) {
		b.Run(name, func(b *testing.B) {
			toks := make([]Token, 0, 1024)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				toks = Tokenize(toks[:0], lines[i%len(lines)])
			}
		})
	}
}

// The converged case: every line fits a pattern that is defined already.
func BenchmarkFile(b *testing.B) {
	for name, lines := range corpora(b) {
		b.Run(name, func(b *testing.B) {
			tab := NewTable(Limits{MaxPatterns: 700, MaxStateBytes: 3 << 19, MaxLineBytes: 8 << 10, EntryBytes: 32})
			toks := make([]Token, 0, 1024)
			learn := func(line []byte) {
				var p *Pattern
				if toks, p = tab.File(toks[:0], line); p != nil && !p.Defined() {
					tab.Define(p)
				}
			}
			tab.Begin()
			for _, l := range lines {
				learn(l)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%1000 == 0 {
					tab.Begin()
				}
				learn(lines[i%len(lines)])
			}
		})
	}
}

// The same, for callers that need no tokens.
func BenchmarkMatch(b *testing.B) {
	for name, lines := range corpora(b) {
		b.Run(name, func(b *testing.B) {
			tab := NewTable(Limits{MaxPatterns: 700, MaxStateBytes: 3 << 19, MaxLineBytes: 8 << 10, EntryBytes: 32})
			toks, spans := make([]Token, 0, 1024), make([]uint32, 0, 1024)
			missed := 0
			learn := func(line []byte) {
				var p *Pattern
				if spans, p = tab.Match(spans[:0], line); p != nil {
					return
				}
				missed++
				toks = Tokenize(toks[:0], line)
				if p = tab.Learn(line, toks); p != nil && !p.Defined() {
					tab.Define(p)
				}
			}
			tab.Begin()
			for _, l := range lines {
				learn(l)
			}
			missed = 0
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%1000 == 0 {
					tab.Begin()
				}
				learn(lines[i%len(lines)])
			}
			b.ReportMetric(100*float64(missed)/float64(b.N), "%missed")
		})
	}
}
