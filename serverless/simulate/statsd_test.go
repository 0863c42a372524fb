package simulate

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseMetric(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]Sample{
		"a.b:1|g":                           {{Name: "a.b", Type: "g", Value: 1}},
		"a:1.5|d|#x:y,z":                    {{Name: "a", Type: "d", Value: 1.5, Tags: []string{"x:y", "z"}}},
		"a:1:2:3|d|@0.5|#x|c:abc|T16":       {{Name: "a", Type: "d", Value: 1, Tags: []string{"x"}}, {Name: "a", Type: "d", Value: 2, Tags: []string{"x"}}, {Name: "a", Type: "d", Value: 3, Tags: []string{"x"}}},
		"users:alice|s":                     {{Name: "users", Type: "s"}},
		"a:-1e3|c|#":                        {{Name: "a", Type: "c", Value: -1000}},
		"a:1|g|#image:arn:aws:lambda:x,b:c": {{Name: "a", Type: "g", Value: 1, Tags: []string{"image:arn:aws:lambda:x", "b:c"}}},
	} {
		got, err := parseMetric(line)
		require.NoError(t, err, line)
		require.Equal(t, want, got, line)
	}
	for _, line := range []string{"", "a", "a:1", "a|g", ":1|g", "a:|g", "a:1|", "a:x|g", "a:NaN|g", "a:+Inf|g", "a:1::2|g", "_e{1,1}:a|b", "_sc|a|0"} {
		_, err := parseMetric(line)
		require.ErrorIs(t, err, errNoMetric, line)
	}
	s := Sample{Tags: []string{"a", "b:c:d", "b:e"}}
	require.Equal(t, []string{"", "c:d", ""}, []string{s.Tag("a"), s.Tag("b"), s.Tag("z")})
}

func FuzzParseMetric(f *testing.F) {
	for _, line := range []string{"a.b:1|g", "a:1:2|d|@0.5|#x:y,z|T1", "_e{1,1}:a|b", "a:NaN|g"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		samples, err := parseMetric(line)
		if err != nil {
			require.Empty(t, samples)
			return
		}
		require.NotEmpty(t, samples)
		for _, s := range samples {
			require.NotEmpty(t, s.Name)
			require.NotEmpty(t, s.Type)
			require.False(t, math.IsNaN(s.Value) || math.IsInf(s.Value, 0))
		}
	})
}
