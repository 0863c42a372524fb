package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/debugger"
)

// anyText is what a user may write into a field without rules: quotes, colons,
// what looks like another type, and letters beyond ASCII.
var anyText = rapid.OneOf(
	rapid.SampledFrom([]string{"", "true", "null", "1.10", "0x1F", "~", "- a", "a: b", "a #b", `"`, "'", `\`, "@x", "*x", "&x", "!x", "[a]", "{a}", "yes", "Ω", "a\nb", "\t", "%", " a ", "|", ">", "2026-01-01", "1:30", "<<"}),
	rapid.StringMatching(`[ -~]{0,12}`),
)

// draw makes a valid value of a setting.
func draw(t *rapid.T, s *setting) any {
	switch s.kind {
	case kindBool:
		return rapid.Bool().Draw(t, s.key)
	case kindInt, kindSize:
		return int(rapid.Int64Range(s.min, s.max).Draw(t, s.key))
	case kindDuration:
		return time.Duration(rapid.Int64Range(s.min, s.max).Draw(t, s.key))
	case kindEnum:
		return rapid.SampledFrom(s.values).Draw(t, s.key)
	case kindStrings:
		return rapid.SliceOfN(anyText, 0, 3).Draw(t, s.key)
	case kindJSON:
		return drawProbes(t, s.key)
	case kindObjects:
		elements := make([]any, rapid.IntRange(0, 3).Draw(t, s.key))
		for i := range elements {
			elements[i] = s.list.element()
			for j := range s.list.fields {
				f := &s.list.fields[j]
				if data := draw(t, f); rapid.Bool().Draw(t, "set") && good(f, data) {
					put(f.at(elements[i]), data)
				}
			}
		}
		return elements
	default:
		return anyText.Draw(t, s.key)
	}
}

func drawProbes(t *rapid.T, label string) []debugger.ProbeSource {
	probes := make([]debugger.ProbeSource, rapid.IntRange(0, 2).Draw(t, label))
	for i := range probes {
		text := string(quoteJSON(anyText.Draw(t, "text")))
		probes[i].JSON = fmt.Appendf(nil, `{"id":%s,"n":[1,-2.50,1e3,true,null,{}],"deep":{"a":[[%s]]}}`, text, text)
	}
	return probes
}

func good(s *setting, data any) bool {
	message, _ := s.verify(data)
	return message == ""
}

// TestDumpIsReadBack: a dump, and JSON in a variable for lists of objects, mean
// what was dumped, whatever the values are.
func TestDumpIsReadBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		values := map[string]any{}
		for _, s := range table {
			switch s.name() {
			case "enabled", "api_key", "api_key_file", "output":
				continue // on, an engine has opinions; a secret is not dumped, its file is read; an output may need one
			}
			if data := draw(rt, s); good(s, data) {
				values[s.key] = data
			}
		}
		value := func(s *setting) any {
			if data, ok := values[s.key]; ok {
				return data
			}
			return s.defaultValue()
		}
		path := filepath.Join(dir, "vigil.yaml")
		text := yamlOf(value, func(*setting) string { return "a comment" })
		require.NoError(rt, os.WriteFile(path, []byte(text), 0o600))
		loaded, err := Load(Options{File: path, LookupHostname: func() (string, error) { return "", nil }})
		require.NoError(rt, err, text)
		for _, s := range table {
			require.Equal(rt, s.format(value(s)), s.format(loaded.value(s)), s.key)
		}
		var again strings.Builder
		require.NoError(rt, loaded.Dump(&again, DumpYAML))
		require.Equal(rt, yamlOf(value, nil), again.String())
	})
}
