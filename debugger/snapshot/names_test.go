package snapshot

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShortType(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"int": "int", "": "", "*net/http.Request": "*http.Request", "[]*a.org/b/c.T": "[]*c.T",
		"map[a/b.K]c/d.V":                        "map[b.K]d.V",
		"a.org/x.List[b.org/y/z.T,*c/d.U]":       "x.List[z.T,*d.U]",
		"func(a/b.T, ...int) (c/d.U, error)":     "func(b.T, ...int) (d.U, error)",
		"struct { A a/b.T; B int }":              "struct { A b.T; B int }",
		"main.(*Server).Handle":                  "main.(*Server).Handle",
		"chan<- github.com/vigil-agent/vigil.X":  "chan<- vigil.X",
		"go.shape.struct { x/y.A int }":          "go.shape.struct { y.A int }",
		"[4]map[string][]a/b.T":                  "[4]map[string][]b.T",
		"a.org/b/c.Outer[go.shape.*uint8_a/b.T]": "c.Outer[go.shape.*b.T]",
	} {
		require.Equal(t, want, shortType(in), in)
	}
}

func TestDistinct(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"a", "_", "_#2", "b", "_#3", "a#2"}, distinct([]string{"a", "_", "_", "b", "_", "a"}))
	require.Equal(t, []string{"_", "_#2", "_#3"}, distinct([]string{"_", "_#2", "_#3"}))
	require.Equal(t, []string{"_#2", "_", "_#3"}, distinct([]string{"_#2", "_", "_"}))
}

func TestWholeRunes(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "abc": "abc", "é": "é", "a\xc3": "a", "a\xe4\xb8": "a", "a\xf0\x9f\x98": "a", "😀": "😀",
		"a\xff": "a\xff", "\x80\x80\x80\x80": "\x80\x80\x80\x80", "\xc3": "",
	} {
		require.Equal(t, want, string(wholeRunes([]byte(in))), "%q", in)
	}
}
