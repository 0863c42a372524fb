package binary

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// slowDistance is the definition of the Levenshtein distance.
func slowDistance(a, b string) int {
	switch {
	case a == "":
		return len(b)
	case b == "":
		return len(a)
	case a[0] == b[0]:
		return slowDistance(a[1:], b[1:])
	}
	return 1 + min(slowDistance(a[1:], b), slowDistance(a, b[1:]), slowDistance(a[1:], b[1:]))
}

func TestEditDistance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringOfN(rapid.RuneFrom([]rune("ab.")), 0, 6, -1).Draw(t, "a")
		b := rapid.StringOfN(rapid.RuneFrom([]rune("ab.")), 0, 6, -1).Draw(t, "b")
		limit := rapid.IntRange(0, 6).Draw(t, "limit")
		want, got := slowDistance(a, b), editDistance(a, b, limit)
		if want <= limit && got != want || want > limit && got <= limit {
			t.Fatalf("distance of %q and %q is %d, got %d within %d", a, b, want, got, limit)
		}
	})
}

func TestLastComponents(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{1: "Serve", 2: "(*Server).Serve", 3: "net/http.(*Server).Serve"} {
		require.Equal(t, want, lastComponents("net/http.(*Server).Serve", n))
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		have, want    string
		exact, suffix bool
	}{
		{"main.run", "main.run", true, false},
		{"main.run", "run", false, true},
		{"main.run", "un", false, false},
		{"main.run", "", false, false},
		{"net/http.(*Server).Serve", "http.(*Server).Serve", false, true},
		{"net/http.(*Server).Serve", "(*Server).Serve", false, true},
		{"gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml.v3.Unmarshal", true, false},
		{"gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml%2ev3.Unmarshal", true, false},
		{"gopkg.in/yaml%2ev3.Unmarshal", "yaml.v3.Unmarshal", false, true},
		{"main.Map[go.shape.int]", "main.Map", true, false},
		{"main.Map[go.shape.int]", "main.Map[...]", true, false},
		{"main.Map[go.shape.int]", "Map", false, true},
		{"main.(*List[go.shape.int]).Push", "(*List).Push", false, true},
	} {
		exact, suffix := fits([]byte(tt.have), []byte(tt.want))
		require.Equal(t, tt.exact, exact, "%q %q", tt.have, tt.want)
		require.Equal(t, tt.suffix && !tt.exact, suffix && !exact, "%q %q", tt.have, tt.want)
	}
}

func TestMinorVersion(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"go1.26.8": "go1.26", "go1.26": "go1.26", "go1.26rc1": "go1.26", "go1.26.8 X:arenas": "go1.26",
		"devel +abc": "", "": "", "go2.0": "",
	} {
		require.Equal(t, want, minorVersion(version))
	}
}
