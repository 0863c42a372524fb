package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestJSONNumber(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0": "0", "-5": "-5", "+5": "5", "1_000": "1000", "0x1F": "31", "0o17": "15", "0b11": "3", "010": "8", ".5": "0.5", "1.50": "1.50", "1.": "1", "1e3": "1e3",
		"18446744073709551615": "18446744073709551615", "0xFFFFFFFFFFFFFFFF": "18446744073709551615",
	} {
		got, err := jsonNumber(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{".inf", "-.inf", ".nan", "abc", "", "0x"} {
		_, err := jsonNumber(text)
		require.ErrorIs(t, err, errNotJSONNumber, text)
	}
}

// TestTextKeepsItsForm: what looks like another type stays the text it was in
// quotes, and every style of YAML gives the same text.
func TestTextKeepsItsForm(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		`"true"`: "true", `'1.10'`: "1.10", `"a\nb"`: "a\nb", "|\n  a\n  b": "a\nb\n", "|-\n  a\n  b": "a\nb", ">-\n  a\n  b": "a b", "a b": "a b", "!!str 1.10": "1.10", "'it''s'": "it's", `"\u00e9"`: "é",
	} {
		require.Equal(t, want, loadText(t, "service: "+yaml+"\n").Config.Service, yaml)
	}
}

func TestProbeJSON(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		"{id: a}":                              `{"id":"a"}`,
		"{z: 1, a: 2}":                         `{"z":1,"a":2}`,
		"{a: [env:dev, t:1, {k: v}]}":          `{"a":["env:dev","t:1",{"k":"v"}]}`,
		`{"a": "<&>", b: '\u2028'}`:            `{"a":"<&>","b":"\\u2028"}`,
		"{a: 1e3, b: 0x10, c: 1_0, d: 1.0}":    `{"a":1e3,"b":16,"c":10,"d":1.0}`,
		"{a: 99999999999999999999, b: '1'}":    `{"a":99999999999999999999,"b":"1"}`,
		"{a: ~, b: null, c: }":                 `{"a":null,"b":null,"c":null}`,
		"{1: a, true: b, 1.5: c}":              `{"1":"a","true":"b","1.5":"c"}`,
		"{a: !!str 5, b: {}, c: []}":           `{"a":"5","b":{},"c":[]}`,
		"\n      a: |\n        x\n        y\n": `{"a":"x\ny\n"}`,
	} {
		probes := loadText(t, "debugger:\n  probes:\n    - "+yaml+"\n").Config.Debugger.Probes
		require.Len(t, probes, 1)
		require.Equal(t, want, string(probes[0].JSON), yaml)
	}
}
