package status

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/health"
)

type fixed Section

func (f fixed) Status() Section { return Section(f) }

type reporter health.Report

func (r reporter) Health() health.Report { return health.Report(r) }

func serve(t *testing.T, page *Page, target string) string {
	t.Helper()
	response := httptest.NewRecorder()
	page.ServeHTTP(response, httptest.NewRequest("GET", target, nil))
	require.Equal(t, 200, response.Code)
	return regexp.MustCompile(`(pid"?[: ])\d+`).ReplaceAllString(response.Body.String(), "${1}N")
}

func TestPage(t *testing.T) {
	t.Parallel()
	page := New("1.2.3", health.New([]health.Reporter{
		reporter{Name: "serverless", State: health.OK},
		reporter{Name: "debugger", State: health.Degraded, Reason: "not root", Fix: "run as root"},
	}), []Provider{
		fixed{Name: "serverless", Data: map[string]int{"heartbeats": 2}, Text: []string{"heartbeats 2"}},
		fixed{Name: "metrics", Data: 1, Text: []string{"statsd 127.0.0.1:8125"}},
	})
	require.Equal(t, `vigil 1.2.3, pid N, up 0s

✗ debugger is degraded: not root
  fix: run as root

metrics
  statsd 127.0.0.1:8125

serverless: ok
  heartbeats 2
`, serve(t, page, "/v1/status?format=text"))
	require.Equal(t, `{"version":"1.2.3","pid":N,"uptime_s":0,"ready":false,"components":[`+
		`{"name":"debugger","state":"degraded","reason":"not root","fix":"run as root"},{"name":"serverless","state":"ok"}],`+
		`"sections":{"metrics":1,"serverless":{"heartbeats":2}}}`+"\n", serve(t, page, "/v1/status"))
}

func TestNoProblems(t *testing.T) {
	t.Parallel()
	page := New("1.2.3", health.New([]health.Reporter{reporter{Name: "logs", State: health.OK}}), nil)
	_, text, _ := strings.Cut(serve(t, page, "/v1/status?format=text"), "\n")
	require.Equal(t, "\n✓ no problems\n", text)
}
