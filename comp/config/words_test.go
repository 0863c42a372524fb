package config

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestListWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                {},
		"a":               {"a"},
		"env:dev team:a":  {"env:dev", "team:a"},
		"env:dev,team:a":  {"env:dev", "team:a"},
		" a , b c ,, d ":  {"a", "b c", "d"},
		`["a b", "c,d"]`:  {"a b", "c,d"},
		"a\tb\n c":        {"a", "b", "c"},
		` [ "x" ] `:       {"x"},
		"path:/a,glob:[b": {"path:/a", "glob:[b"},
	} {
		got, err := listWords(text)
		require.NoError(t, err, text)
		require.Equal(t, want, append([]string{}, got...), text)
	}
	for _, text := range []string{"[a]", "[1]", `["a"`, `["a"] b`} {
		_, err := listWords(text)
		require.ErrorContains(t, err, "not a JSON array of strings", text)
	}
}

func TestCommandWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"/app -v":               {"/app", "-v"},
		"  /app   -v  ":         {"/app", "-v"},
		`a "b c" 'd "e'`:        {"a", "b c", `d "e`},
		`a\ b c`:                {"a b", "c"},
		`"a\"b" "c\d" "\$x"`:    {`a"b`, `c\d`, "$x"},
		`'a\b'`:                 {`a\b`},
		`"" ''`:                 {"", ""},
		`pre"mid dle"post`:      {"premid dlepost"},
		"a \\\n b":              {"a", "b"},
		"a\\\nb":                {"ab"},
		`["/app", "a b", ""]`:   {"/app", "a b", ""},
		`$HOME *.go | grep x#y`: {"$HOME", "*.go", "|", "grep", "x#y"},
	} {
		got, err := commandWords(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for text, want := range map[string]string{
		`a "b`: `the quote " is not closed`,
		`a 'b`: `the quote ' is not closed`,
		`a b\`: "nothing follows the last backslash",
		`["a"`: "not a JSON array of strings: unexpected end of JSON input",
		`[1]`:  "not a JSON array of strings: json: cannot unmarshal number into Go value of type string",
		`"\`:   `the quote " is not closed`,
	} {
		_, err := commandWords(text)
		require.EqualError(t, err, want, text)
	}
}

// TestShellWordsAgreeWithTheShell asks a real shell how it splits words made of
// quotes, escapes and spaces.
func TestShellWordsAgreeWithTheShell(t *testing.T) {
	t.Parallel()
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no shell on this machine")
	}
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{`"`, `'`, `\`, " ", "a", "b", "\t", `\"`, `\'`, "é"}), 1, 12).Draw(t, "text")
		text := strings.Join(pieces, "")
		got, err := shellWords(text)
		if err != nil {
			return // the shell would wait for more
		}
		out, runErr := exec.Command(shell, "-c", `printf '%s\n' x `+text).Output()
		require.NoError(t, runErr)
		require.Equal(t, strings.Join(append([]string{"x"}, got...), "\n")+"\n", string(out), "%q", text)
	})
}
