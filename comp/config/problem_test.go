package config

import (
	"encoding/json"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestProblemText(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]Problem{
		"a.yaml:3:7: logs.enabled: no sources\n    3 | x\n    hint: add one": {Key: "logs.enabled", File: "a.yaml", Line: 3, Column: 7, Message: "no sources", Excerpt: "    3 | x", Hint: "add one"},
		"a.yaml: cannot be read":               {File: "a.yaml", Message: "cannot be read"},
		"environment variable VIGIL_X: x: bad": {Key: "x", Origin: "environment variable VIGIL_X", Message: "bad"},
		"only this":                            {Message: "only this"},
	} {
		require.EqualError(t, p, want)
	}
}

func TestProblemsAreSorted(t *testing.T) {
	t.Parallel()
	p := Problems{
		{Origin: "flag x", Message: "6"},
		{File: "b.yaml", Line: 1, Column: 1, Message: "5"},
		{File: "a.yaml", Line: 2, Column: 9, Message: "3"},
		{File: "a.yaml", Line: 10, Column: 1, Message: "4"},
		{File: "a.yaml", Line: 2, Column: 2, Message: "2"},
		{File: "a.yaml", Line: 2, Column: 2, Message: "2"},
		{File: "a.yaml", Message: "1"},
	}
	require.EqualError(t, p.sorted([]string{"a.yaml", "b.yaml"}), "a.yaml: 1\na.yaml:2:2: 2\na.yaml:2:9: 3\na.yaml:10:1: 4\nb.yaml:1:1: 5\nflag x: 6")
}

func TestProblemsUnwrap(t *testing.T) {
	t.Parallel()
	var err error = Problems{{Message: "a"}, {File: "x", Message: "b", cause: fs.ErrPermission}}
	require.ErrorIs(t, err, fs.ErrPermission)
	var one Problem
	require.ErrorAs(t, err, &one)
	require.Equal(t, "a", one.Message)
	text, marshalErr := json.Marshal(err)
	require.NoError(t, marshalErr)
	require.JSONEq(t, `[{"message":"a"},{"file":"x","message":"b"}]`, string(text))
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	src := newSource("f", "a: b\r\n\tx: \x1b[31mred\napi_key: abc, z: 1\n")
	require.Equal(t, "    1 | a: b\n      |    ^", src.excerpt(1, 4, 1))
	require.Equal(t, "    1 | a: b\n      |    ^", src.excerpt(1, 4, 100), "never wider than the line")
	require.Equal(t, "    1 | a: b\n      |     ^", src.excerpt(1, 5, 1), "behind the end")
	require.Equal(t, "    2 | \tx: \uFFFD[31mred\n      | \t^", src.excerpt(2, 2, 1), "tabs keep the caret in place, control characters are shown as such")
	require.Equal(t, "    3 | api_key: ********\n      |          ^^^^^^^^", src.excerpt(3, 17, 1))
	require.Equal(t, "    3 | api_key: ********\n      | ^^^^^^^", src.excerpt(3, 1, 7))
}

func TestClamp(t *testing.T) {
	t.Parallel()
	src := newSource("f", "ab\ncd\n")
	for _, c := range [][4]int{{1, 1, 1, 1}, {0, 0, 1, 1}, {1, 99, 1, 3}, {3, 1, 2, 3}, {99, 99, 2, 3}, {2, -1, 2, 1}} {
		line, column := src.clamp(c[0], c[1])
		require.Equal(t, [2]int{c[2], c[3]}, [2]int{line, column}, "%v", c)
	}
	line, column := newSource("f", "").clamp(7, 7)
	require.Equal(t, [2]int{1, 1}, [2]int{line, column})
}
