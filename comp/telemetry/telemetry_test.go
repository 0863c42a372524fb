package telemetry

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func tables() []Table {
	return []Table{
		{Name: "logs", Metrics: []Metric{{
			Name: "vigil_logs_lines_total", Kind: Counter, Help: "Lines read.", Labels: []string{"source"},
			Collect: func(report func(float64, ...string)) { report(3, "a.log"); report(4, "b.log") },
		}}},
		{Name: "agent", Metrics: []Metric{{
			Name: "vigil_agent_engines_degraded", Kind: Gauge, Help: "Engines that cannot run.",
			Collect: func(report func(float64, ...string)) { report(1) },
		}}},
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	registry, err := New(tables())
	require.NoError(t, err)
	response := httptest.NewRecorder()
	registry.Handler().ServeHTTP(response, httptest.NewRequest("GET", "/metrics", nil))
	var ours []string
	for line := range strings.Lines(response.Body.String()) {
		if strings.Contains(line, "vigil_") {
			ours = append(ours, line)
		}
	}
	require.Equal(t, `# HELP vigil_agent_engines_degraded Engines that cannot run.
# TYPE vigil_agent_engines_degraded gauge
vigil_agent_engines_degraded 1
# HELP vigil_logs_lines_total Lines read.
# TYPE vigil_logs_lines_total counter
vigil_logs_lines_total{source="a.log"} 3
vigil_logs_lines_total{source="b.log"} 4
`, strings.Join(ours, ""))
	require.Contains(t, response.Body.String(), "go_goroutines")
}

func TestDuplicateNames(t *testing.T) {
	t.Parallel()
	_, err := New(append(tables(), tables()...))
	require.ErrorContains(t, err, "register vigil_agent_engines_degraded of agent")
}

// A row that reports the wrong labels must fail the scrape, not vanish.
func TestWrongLabels(t *testing.T) {
	t.Parallel()
	registry, err := New([]Table{{Name: "x", Metrics: []Metric{{
		Name: "x", Kind: Gauge, Help: "x", Collect: func(report func(float64, ...string)) { report(1, "surplus") },
	}}}})
	require.NoError(t, err)
	response := httptest.NewRecorder()
	registry.Handler().ServeHTTP(response, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, 500, response.Code)
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	_, page, found := strings.Cut(string(Markdown(tables())), "these.\n")
	require.True(t, found)
	require.Equal(t, `
## agent

| metric | type | labels | meaning |
| --- | --- | --- | --- |
| `+"`vigil_agent_engines_degraded`"+` | gauge |  | Engines that cannot run. |

## logs

| metric | type | labels | meaning |
| --- | --- | --- | --- |
| `+"`vigil_logs_lines_total`"+` | counter | source | Lines read. |
`, page)
}
