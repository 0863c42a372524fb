package config

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTextThatIsNoText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]syntaxError{
		"a: 1\nb: \xff":                           {line: 2, column: 4, width: 1, message: "not UTF-8 text", hint: "save the file as UTF-8"},
		"a: \x00":                                 {line: 1, column: 4, width: 1, message: "a NUL byte", hint: "this is not a text file"},
		"a:\n " + strings.Repeat("- ", 102):       {line: 2, column: 202, width: 1, message: "nested deeper than 100 levels"},
		"a: " + strings.Repeat("x", maxLineBytes): {line: 1, column: 1, width: 1, message: "a line longer than 64KiB"},
		strings.Repeat("[", 101):                  {line: 1, column: 101, width: 1, message: "nested deeper than 100 levels"},
	} {
		_, bad := parseYAML(text)
		require.NotNil(t, bad, "%q", text)
		require.Equal(t, want, *bad)
	}
	for _, text := range []string{"", "\n", "# x\n", "\ufeff", "---\n", "\ufeffa: \uFFFD\n"} {
		_, bad := parseYAML(text)
		require.Nil(t, bad, "%q", text)
	}
}

// staircase is one level deeper on every line.
func staircase(depth int) string {
	var out strings.Builder
	for i := range depth {
		out.WriteString(strings.Repeat(" ", i) + "- \n")
	}
	return out.String()
}

// TestHostileText: what would use up the stack or the time of a parser comes
// back as a problem.
func TestHostileText(t *testing.T) {
	t.Parallel()
	var bomb strings.Builder
	bomb.WriteString("debugger:\n  probes:\n    - &a0 {x: 1}\n")
	for i := range 20 {
		name, next := string(rune('a'+i))+"0", string(rune('a'+i+1))+"0"
		bomb.WriteString("    - &" + next + " {a: *" + name + ", b: *" + name + ", c: *" + name + "}\n")
	}
	for name, text := range map[string]string{
		"brackets":   strings.Repeat("[", 2_000),
		"braces":     strings.Repeat("{a: ", 2_000),
		"dashes":     strings.Repeat("- ", 30_000),
		"questions":  strings.Repeat("? ", 30_000),
		"tags":       "a: " + strings.Repeat("!!str ", 2_000),
		"anchors":    "a: " + strings.Repeat("&a ", 2_000),
		"alias bomb": bomb.String(),
		"colons":     strings.Repeat(": ", 30_000),
		"long line":  "a: " + strings.Repeat("!!str ", 20_000),
		"staircase":  staircase(400),
		"quotes":     strings.Repeat("'", 10_001),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(Options{File: writeFile(t, "vigil.yaml", text)})
			var problems Problems
			require.ErrorAs(t, err, &problems)
			require.Positive(t, problems[0].Line)
		})
	}
}
