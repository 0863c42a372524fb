package config

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// FuzzLoad feeds any bytes as a file: no panic, every problem has a place that
// exists, and what loads can be written and read again.
func FuzzLoad(f *testing.F) {
	cases, err := filepath.Glob("testdata/load/*.txtar")
	require.NoError(f, err)
	for _, path := range cases {
		archive, err := txtar.ParseFile(path)
		require.NoError(f, err)
		for _, file := range archive.Files {
			if strings.HasSuffix(file.Name, ".yaml") {
				f.Add(file.Data)
			}
		}
	}
	f.Add(Example())
	for _, text := range []string{
		"\xff", "a\x00b", "\ufeffsite: x.y", "? ", "- - - -", "{[{[{[", "!!str", "&a", "*a", "a: &a [*a]", "%YAML 1.2\n---\n", "<<: 1", "<<: {<<: {}}", "a: 'b", "a: |\n", "\r\n\r\n", "tags: [!!str 5]", "? {a: b}\n: c",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		src := newSource("f", string(data))
		l := &loader{set: map[string][]assignment{}, files: []string{"f"}}
		l.decodeText(src, string(data), layerFile)
		config := l.build()
		l.derive(&config, func() (string, error) { return "host", nil })
		inherit(&config)
		l.checkAll(&config)
		for _, p := range l.finish(l.problems) {
			require.NotEmpty(t, p.Message)
			if p.File == "" {
				require.NotEmpty(t, p.Origin, p.Error())
				continue
			}
			require.Positive(t, p.Line, p.Error())
			require.LessOrEqual(t, p.Line, len(src.lines))
			require.Positive(t, p.Column)
			require.LessOrEqual(t, p.Column, len([]rune(src.lines[p.Line-1]))+1)
			require.Contains(t, p.Excerpt, "^")
		}
		if len(l.problems) > 0 {
			require.NotEmpty(t, l.finish(l.problems).Error())
			return
		}
		loaded := &Loaded{Config: config, set: l.set}
		for _, s := range table {
			for _, p := range loaded.Config.Debugger.Probes {
				require.True(t, json.Valid(p.JSON), "%s", p.JSON)
			}
			_, err := loaded.Explain(s.key)
			require.NoError(t, err)
		}
		if config.APIKey != "" || config.Intake.APIKey != "" {
			return // a dump hides them, so it cannot be read back
		}
		var out bytes.Buffer
		require.NoError(t, loaded.Dump(&out, DumpYAML))
		again, err := Load(Options{File: writeFile(t, "vigil.yaml", out.String())})
		var problems Problems
		require.NotErrorAs(t, err, &problems, "%v\n%s", err, out.String())
		for _, s := range table {
			require.Equal(t, s.format(loaded.value(s)), s.format(again.value(s)), s.key)
		}
	})
}

// FuzzShellWords: no panic, and words without quotes come back as they are.
func FuzzShellWords(f *testing.F) {
	for _, text := range []string{`a "b c"`, `\`, `'`, `"\"`, "a\\\nb", "\x00", "é ü"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words, err := shellWords(text)
		if err != nil || strings.ContainsAny(text, "\\\"'") || strings.ContainsRune(text, '\uFFFD') {
			return
		}
		require.Equal(t, strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) }), append([]string{}, words...))
	})
}
