package probe

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	known := []string{"where", "when", "capture", "captureSnapshot", "sampling", "id", "tags"}
	for name, want := range map[string]string{
		"wher": "where", "whne": "when", "captureSnapshots": "captureSnapshot", "CAPTURE": "capture", "samplings": "sampling",
		"ids": "id", "tag": "tags", "": "", "condition": "", "x": "",
	} {
		got := didYouMean(name, known)
		if want == "" {
			require.Empty(t, got, name)
			continue
		}
		require.Equal(t, `; did you mean "`+want+`"?`, got, name)
	}
	require.Empty(t, didYouMean("where", nil))
}

// TestEditDistanceIsAMetric holds it to what makes a distance one.
func TestEditDistanceIsAMetric(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringMatching(`[abc]{0,6}`)
		a, b, c := word.Draw(t, "a"), word.Draw(t, "b"), word.Draw(t, "c")
		d := editDistance(a, b)
		require.Equal(t, a == b, d == 0)
		require.Equal(t, d, editDistance(b, a))
		require.LessOrEqual(t, d, editDistance(a, c)+editDistance(c, b))
		require.GreaterOrEqual(t, d, max(len(a), len(b))-min(len(a), len(b)))
		require.LessOrEqual(t, d, max(len(a), len(b)))
	})
}

func TestPosition(t *testing.T) {
	t.Parallel()
	s := source{"f.json", []byte("ab\ncé d\n")}
	for offset, want := range map[int][2]int{0: {1, 1}, 2: {1, 3}, 3: {2, 1}, 6: {2, 3}, 8: {2, 5}, 9: {3, 1}, 99: {3, 1}} {
		line, column := s.position(offset)
		require.Equal(t, want, [2]int{line, column}, offset)
	}
	for _, where := range []string{"vigil.yaml:12:5", "a:b:1:2"} {
		line, column := source{where, nil}.position(0)
		require.Zero(t, line)
		require.Zero(t, column)
	}
}

func TestProblemString(t *testing.T) {
	t.Parallel()
	require.Equal(t, `f.json:3:4: probe "p": where.lines: no`, Problem{"f.json", 3, 4, "p", "where.lines", "no"}.String())
	require.Equal(t, "f.json: no", Problem{Where: "f.json", Message: "no"}.String())
	require.Equal(t, "a: x\nb: y", (&Error{[]Problem{{Where: "a", Message: "x"}, {Where: "b", Message: "y"}}}).Error())
}
