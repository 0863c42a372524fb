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
		"end. a-b- -c":                      `word:"end" punct:". " word:"a-b" punct:"- -" word:"c"`,
		"a--b ...... ====":                  `word:"a" punct:"--" word:"b" punct:" ...... ===="`,
		"  two\t\n":                         `space:"  " word:"two" space:"\t\n"`,
		"7 007 -7 +7 - 7 a-7":               `int:"7" int:"007" int:"-7" int:"+7" punct:" - " int:"7" mixed:"a-7"`,
		"a+5 --5 (-5)":                      `word:"a" punct:"+" int:"5" punct:" --" int:"5" punct:" (" int:"-5" punct:")"`,
		"1.5 -1.5 1. .5 1.2.3":              `decimal:"1.5" decimal:"-1.5" int:"1" punct:". ." int:"5" mixed:"1.2.3"`,
		"1,234,567 1, 2":                    `mixed:"1,234,567" int:"1" punct:", " int:"2"`,
		"0x1f 0xg deadbeef1 deadbeef cafe1": `hex:"0x1f" mixed:"0xg" hex:"deadbeef1" word:"deadbeef" mixed:"cafe1"`,
		"123e4567-e89b-12d3-a456-426614174000 123e4567-e89b-12d3-a456-4266141740001": `uuid:"123e4567-e89b-12d3-a456-426614174000" mixed:"123e4567-e89b-12d3-a456-4266141740001"`,
		"123e4567e-89b-12d3-a456-426614174000":                                       `mixed:"123e4567e-89b-12d3-a456-426614174000"`,
		"10.0.0.1 10.0.0.1:80 10.0.0.256 10.0.0 1.2.3.4.5 10.0.0.1:80:90":            `ipv4:"10.0.0.1" ipv4:"10.0.0.1:80" mixed:"10.0.0.256" mixed:"10.0.0" mixed:"1.2.3.4.5" time:"10.0.0.1:80:90"`,
		"fe80::1 2001:db8::8a2e:370:7334 ::1 [::1]:80 ::ffff:1.2.3.4":                `ipv6:"fe80::1" ipv6:"2001:db8::8a2e:370:7334" ipv6:"::1" punct:" [" ipv6:"::1" punct:"]:" int:"80" ipv6:"::ffff:1.2.3.4"`,
		"2001:0db8:85a3:0000:0000:8a2e:0370:7334. 0:0:0:0:0:0:0:0:2181:":             `ipv6:"2001:0db8:85a3:0000:0000:8a2e:0370:7334" punct:". " ipv6:"0:0:0:0:0:0:0:0:2181" punct:":"`,
		"a::b std::string 12:34 fe80::1x 1:2:3:4:5:6:7":                              `word:"a" punct:"::" word:"b" word:"std" punct:"::" word:"string" time:"12:34" mixed:"fe80" punct:"::" mixed:"1x" time:"1:2:3:4:5:6:7"`,
		"2026-03-09 x 06:00:01,123 17/06/09 x 06:00:01+02:00":                        `time:"2026-03-09" word:"x" time:"06:00:01,123" time:"17/06/09" word:"x" time:"06:00:01+02:00"`,
		"2015-10-18 18:01:47,978 17/06/09 20:10:40 2026-03-09 06:00:01 +0200":        `time:"2015-10-18" time:"18:01:47,978" time:"17/06/09" time:"20:10:40" time:"2026-03-09" time:"06:00:01" time:"+0200"`,
		"2026-03-09T06:00:01.5+02:00 2026-03-09T06:00:01Z +0200 +0200":               `time:"2026-03-09T06:00:01.5+02:00" time:"2026-03-09T06:00:01Z" time:"+0200" int:"+0200"`,
		"Jun 14 15:16:01 x Dec  5 1:02:03 Jun 14 alpha 14 15:16:01":                  `time:"Jun" time:"14" time:"15:16:01" word:"x" time:"Dec" space:"  " time:"5" time:"1:02:03" word:"Jun" int:"14" word:"alpha" int:"14" time:"15:16:01"`,
		"[Sun Dec 04 04:47:44 2005] Sun Dec 04 04:47:44 99 2005":                     `punct:"[" time:"Sun" time:"Dec" time:"04" time:"04:47:44" time:"2005" punct:"] " time:"Sun" time:"Dec" time:"04" time:"04:47:44" int:"99" int:"2005"`,
		"[10/Oct/2000:13:55:36 -0700] 10/Oct/2000":                                   `punct:"[" time:"10/Oct/2000:13:55:36" time:"-0700" punct:"] " path:"10/Oct/2000"`,
		"2005-06-03-15.42.50.675872 2005.06.03":                                      `time:"2005-06-03-15.42.50.675872" mixed:"2005.06.03"`,
		"1700000000 1700000000123 2700000000 170000000":                              `epoch:"1700000000" epoch:"1700000000123" int:"2700000000" int:"170000000"`,
		"30s 1.5ms 1h30m 15\u00b5s 10x s5 5.s":                                       "duration:\"30s\" duration:\"1.5ms\" duration:\"1h30m\" duration:\"15\u00b5s\" mixed:\"10x\" mixed:\"s5\" mixed:\"5.s\"",
		"/usr/lib a/b /1 / //x /a/ /v2/x":                                            `path:"/usr/lib" path:"a/b" punct:" /" int:"1" punct:" / //" word:"x" path:"/a" punct:"/ " path:"/v2/x"`,
		"http://host/p?q=1&user=bob a= =b":                                           `word:"http" punct:"://" path:"host/p" punct:"?" key:"q" punct:"=" int:"1" punct:"&" key:"user" punct:"=" word:"bob" key:"a" punct:"= =" word:"b"`,
		"[/10.0.0.1:80:Conn]":                                                        `punct:"[/" ipv4:"10.0.0.1:80" punct:":" word:"Conn" punct:"]"`,
		"k:v 1:v a:1":                                                                `word:"k" punct:":" word:"v" int:"1" punct:":" word:"v" word:"a" punct:":" int:"1"`,
		`uid=0 ruser= name="two words" one="word" n="took 5 ms"`:                     `key:"uid" punct:"=" int:"0" key:"ruser" punct:"= " key:"name" punct:"=\"" quoted:"two words" punct:"\" " key:"one" punct:"=\"" word:"word" punct:"\" " key:"n" punct:"=\"" word:"took" int:"5" word:"ms" punct:"\""`,
		`{"msg":"declined: no funds","n":1.50,"p": "/a/b","x":"not \" here"}`:        `punct:"{\"" key:"msg" punct:"\":\"" quoted:"declined: no funds" punct:"\",\"" key:"n" punct:"\":" decimal:"1.50" punct:",\"" key:"p" punct:"\": \"" path:"/a/b" punct:"\",\"" key:"x" punct:"\":\"" word:"not" punct:" \\\" " word:"here" punct:"\"}"`,
		"h\u00e9llo \U0001F680 \xff":                                                 "word:\"h\u00e9llo\" word:\"\U0001F680\" word:\"\\xff\"",
		"\x00\x00\x1b[31m":                                                           `punct:"\x00\x00\x1b[" duration:"31m"`,
		`"quoted" it's "two words"`:                                                  `punct:"\"" word:"quoted" punct:"\" " word:"it" punct:"'" word:"s" punct:" \"" word:"two" word:"words" punct:"\""`,
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
	require.Equal(t, "epoch", Epoch.String())
	require.LessOrEqual(t, len(kindNames), len(classOf))
}

// requireTiling checks what every caller relies on.
func requireTiling(t testing.TB, line []byte, toks []Token) {
	t.Helper()
	start := uint32(0)
	for i, tok := range toks {
		if i > 0 {
			separates := func(k Kind) bool { return k == Space || k == Punct }
			require.NotEqual(t, separates(tok.Kind), separates(toks[i-1].Kind), "words and separators take turns")
		}
		require.Greater(t, tok.End, start, "no token is empty")
		require.LessOrEqual(t, tok.Kind, Epoch)
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
		"123e4567-e89b-12d3-a456-426614174000", "1.1.1.1:", "1h1", "T1:1-Z", "::1", "a=\"b c\"", "fe80::", "Sun Dec 04 04:47:44 2005 -0700", "{\"k\":\"a b\"}", "1::2:", "Jan 1 0:0:0",
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
