package health

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

type fixed Report

func (f fixed) Health() Report { return Report(f) }

func get(handler http.HandlerFunc) (int, string) {
	response := httptest.NewRecorder()
	handler(response, httptest.NewRequest("GET", "/", nil))
	return response.Code, response.Body.String()
}

func TestAllWell(t *testing.T) {
	t.Parallel()
	r := New([]Reporter{fixed{Name: "logs", State: OK}, fixed{Name: "debugger", State: Off}})
	code, body := get(r.Ready)
	require.Equal(t, 200, code)
	require.Equal(t, "ready\n", body)
	code, body = get(r.Live)
	require.Equal(t, 200, code)
	require.Equal(t, "live\n", body)
	code, body = get(r.Health)
	require.Equal(t, 200, code)
	require.Equal(t, `{"components":[{"name":"debugger","state":"off"},{"name":"logs","state":"ok"}],"ready":true}`+"\n", body)
}

func TestDegraded(t *testing.T) {
	t.Parallel()
	r := New([]Reporter{
		fixed{Name: "serverless", State: Starting},
		fixed{Name: "debugger", State: Degraded, Reason: "not root", Fix: "run as root"},
		fixed{Name: "logs", State: OK},
	})
	code, body := get(r.Ready)
	require.Equal(t, 503, code)
	require.Equal(t, "debugger: degraded: not root\n  fix: run as root\nserverless: starting\n", body)
	code, body = get(r.Live)
	require.Equal(t, 200, code)
	require.Equal(t, "live\n", body)
	code, body = get(r.Health)
	require.Equal(t, 503, code)
	require.Equal(t, `{"components":[{"name":"debugger","state":"degraded","reason":"not root","fix":"run as root"},`+
		`{"name":"logs","state":"ok"},{"name":"serverless","state":"starting"}],"ready":false}`+"\n", body)
	require.Equal(t, []Report{{Name: "debugger", State: Degraded, Reason: "not root", Fix: "run as root"}}, Problems(r.Reports()))
}
