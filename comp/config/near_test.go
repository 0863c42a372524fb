package config

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"heartbeat_interval", "heartbeat_kind", "hook_budget", "enabled", "env", "site"}
	for name, want := range map[string]string{
		"heartbeat_intervall": "heartbeat_interval",
		"heartbeatinterval":   "heartbeat_interval",
		"HEARTBEAT-KIND":      "heartbeat_kind",
		"hook_buget":          "hook_budget",
		"enalbed":             "enabled",
		"enable":              "enabled",
		"evn":                 "env",
		"sites":               "site",
		"e":                   "",
		"something":           "",
		"":                    "",
	} {
		require.Equal(t, want, nearest(name, known), name)
	}
}

func TestEdits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"abc", "acb", 1}, {"abc", "abd", 1}, {"ab", "ba", 1}, {"kitten", "sitting", 3}, {"é", "e", 1}, {"a", "abcdef", 4}} {
		require.Equal(t, c.want, edits(c.a, c.b), "%s %s", c.a, c.b)
	}
}

// TestEditsIsADistance checks the laws: zero for the same, symmetric, and no
// more than the longer text.
func TestEditsIsADistance(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[abc]{3,6}`)
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		require.Zero(t, edits(a, a))
		require.Equal(t, edits(a, b), edits(b, a))
		require.LessOrEqual(t, edits(a, b), max(len(a), len(b)))
		require.Equal(t, a == b, edits(a, b) == 0)
	})
}

// TestEveryMisspeltKeyIsRecognised drops one letter of each key.
func TestEveryMisspeltKeyIsRecognised(t *testing.T) {
	t.Parallel()
	for _, s := range table {
		prefix := s.key[:max(len(s.key)-len(s.name())-1, 0)]
		name := s.name()
		wrong := name[:1] + name[2:]
		require.Contains(t, hintForKey(prefix, wrong, children(prefix)), "did you mean", s.key)
	}
}

func TestChildren(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"type", "path"}, children("debugger.output"))
	require.Contains(t, children(""), "serverless")
	require.Empty(t, children("site"))
	require.True(t, isSection("logs.endpoint.tls"))
	require.False(t, isSection("logs.end"))
}
