package pattern

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// show writes tokens as text: kind and bytes of each, white space between words left out.
func show(line string) string {
	var out []string
	start := uint32(0)
	for _, t := range Tokenize(nil, []byte(line)) {
		text := line[start:t.End]
		start = t.End
		if t.Kind == Space && text == " " {
			continue
		}
		out = append(out, fmt.Sprintf("%s:%q", t.Kind, text))
	}
	return strings.Join(out, " ")
}

func TestTokenize(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"":                                  ``,
		"hello_world x-y a.b u@h":           `word:"hello_world" word:"x-y" word:"a.b" word:"u@h"`,
		"end. a-b- -c":                      `word:"end" punct:"." word:"a-b" punct:"-" punct:"-" word:"c"`,
		"a--b ...... ====":                  `word:"a" punct:"--" word:"b" punct:"......" punct:"===="`,
		"  two\t\n":                         `space:"  " word:"two" space:"\t\n"`,
		"7 007 -7 +7 - 7 a-7":               `int:"7" int:"007" int:"-7" int:"+7" punct:"-" int:"7" mixed:"a-7"`,
		"1.5 -1.5 1. .5 1.2.3":              `decimal:"1.5" decimal:"-1.5" int:"1" punct:"." punct:"." int:"5" mixed:"1.2.3"`,
		"1,234,567 1, 2":                    `mixed:"1,234,567" int:"1" punct:"," int:"2"`,
		"0x1f 0xg deadbeef1 deadbeef cafe1": `hex:"0x1f" mixed:"0xg" hex:"deadbeef1" word:"deadbeef" mixed:"cafe1"`,
		"123e4567-e89b-12d3-a456-426614174000 123e4567-e89b-12d3-a456-4266141740001": `uuid:"123e4567-e89b-12d3-a456-426614174000" mixed:"123e4567-e89b-12d3-a456-4266141740001"`,
		"123e4567e-89b-12d3-a456-426614174000":                                       `mixed:"123e4567e-89b-12d3-a456-426614174000"`,
		"10.0.0.1 10.0.0.1:80 10.0.0.256 10.0.0 1.2.3.4.5 10.0.0.1:80:90":            `ipv4:"10.0.0.1" ipv4:"10.0.0.1:80" mixed:"10.0.0.256" mixed:"10.0.0" mixed:"1.2.3.4.5" time:"10.0.0.1:80:90"`,
		"2026-03-09 06:00:01,123 2026-03-09T06:00:01.5Z 17/06/09 06:00:01+02:00":     `time:"2026-03-09" time:"06:00:01,123" time:"2026-03-09T06:00:01.5Z" time:"17/06/09" time:"06:00:01+02:00"`,
		"30s 1.5ms 1h30m 15\u00b5s 10x s5 5.s":                                       "duration:\"30s\" duration:\"1.5ms\" duration:\"1h30m\" duration:\"15\u00b5s\" mixed:\"10x\" mixed:\"s5\" mixed:\"5.s\"",
		"/usr/lib a/b /1 / //x /a/ /v2/x":                                            `path:"/usr/lib" path:"a/b" punct:"/" int:"1" punct:"/" punct:"//" word:"x" path:"/a" punct:"/" path:"/v2/x"`,
		"http://host/p?q=1":                                                          `word:"http" punct:":" punct:"//" path:"host/p" punct:"?" word:"q" punct:"=" int:"1"`,
		"[/10.0.0.1:80:Conn]":                                                        `punct:"[" punct:"/" ipv4:"10.0.0.1:80" punct:":" word:"Conn" punct:"]"`,
		"k:v 1:v a:1":                                                                `word:"k" punct:":" word:"v" int:"1" punct:":" word:"v" word:"a" punct:":" int:"1"`,
		"h\u00e9llo \U0001F680 \xff":                                                 "word:\"h\u00e9llo\" word:\"\U0001F680\" word:\"\\xff\"",
		"\x00\x00\x1b[31m":                                                           `punct:"\x00\x00" punct:"\x1b" punct:"[" duration:"31m"`,
		`"quoted" it's`:                                                              `punct:"\"" word:"quoted" punct:"\"" word:"it" punct:"'" word:"s"`,
		"blk_-160 user@10.0.0.1":                                                     `mixed:"blk_-160" mixed:"user@10.0.0.1"`,
	} {
		require.Equal(t, want, show(line), "%q", line)
	}
}

func TestKindNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "space", Space.String())
	require.Equal(t, "mixed", Mixed.String())
	require.Equal(t, "unknown", Kind(200).String())
	require.Len(t, classOf, len(kindNames))
}

// requireTiling checks what every caller relies on.
func requireTiling(t testing.TB, line []byte, toks []Token) {
	t.Helper()
	start := uint32(0)
	for _, tok := range toks {
		require.Greater(t, tok.End, start, "no token is empty")
		require.LessOrEqual(t, tok.Kind, Mixed)
		if int(tok.End) < len(line) && utf8.Valid(line) {
			require.True(t, utf8.RuneStart(line[tok.End]), "a token ends inside a rune")
		}
		start = tok.End
	}
	require.EqualValues(t, len(line), start)
}

func TestTokensCoverAnyLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		line := rapid.OneOf(rapid.SliceOf(rapid.Byte()), rapid.Map(rapid.String(), func(s string) []byte { return []byte(s) })).Draw(rt, "line")
		toks := Tokenize(nil, line)
		requireTiling(t, line, toks)
		prefix := []Token{{End: 9, Kind: UUID}}
		require.Equal(t, append(prefix, toks...), Tokenize(prefix, line), "tokens are appended")
	})
}

func FuzzTokenize(f *testing.F) {
	for _, line := range []string{
		"", "conn from 10.0.0.1:80 30s", "2026-03-09T06:00:01.5+02:00 [x] a=b", "\xff\xfe\x00", "é-/:,+@.é1-é", "-1.-.1/", "0x",
		"123e4567-e89b-12d3-a456-426614174000", "1.1.1.1:", "1h1", "T1:1-Z",
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		requireTiling(t, line, Tokenize(nil, line))
	})
}

func TestTokenizeDoesNotAllocate(t *testing.T) {
	line := []byte("2026-03-09 06:00:01,123 INFO [main] a.b.C: conn from 10.0.0.1:80 took 30s, id 123e4567-e89b-12d3-a456-426614174000")
	toks := make([]Token, 0, 64)
	require.Zero(t, testing.AllocsPerRun(100, func() { toks = Tokenize(toks[:0], line) }))
}

func BenchmarkTokenize(b *testing.B) {
	line := []byte("2026-03-09 06:00:01,123 INFO [main] a.b.C: conn from 10.0.0.1:80 took 30s, id 123e4567-e89b-12d3-a456-426614174000")
	toks := make([]Token, 0, 64)
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		toks = Tokenize(toks[:0], line)
	}
}
