package lifecycle_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/heartbeat"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
	"github.com/vigil-agent/vigil/serverless/microvm"
)

// FuzzHook sends one request of any kind, body and header, and then one that
// shows whether it has changed anything it must not.
func FuzzHook(f *testing.F) {
	f.Add("POST", "run", "Content-Type", "application/json", []byte(`{"microvmId":"vm-1"}`))
	f.Add("POST", "run/", "Connection", "close, X", []byte(`{"microVmId":"\ud800"}`))
	f.Add("GET", "suspend", "Expect", "100-continue", []byte(nil))
	f.Add("POST", "terminate", "Transfer-Encoding", "chunked", []byte("\x00\xff"))
	f.Add("POST", "launch", "Content-Length", "-1", bytes.Repeat([]byte("["), 1<<16))
	f.Fuzz(func(t *testing.T, method, hook, name, value string, body []byte) {
		path := lifecycle.BasePath + hook
		request, err := http.NewRequestWithContext(t.Context(), method, "http://x/", bytes.NewReader(body))
		if err != nil {
			return // net/http lets no such method through
		}
		request.URL.Path = path
		request.RequestURI = path
		request.Header[name] = []string{value}
		beat := heartbeat.New(heartbeat.Config{}, heartbeat.Deps{})
		s := lifecycle.New(lifecycle.Config{Budget: lifecycle.WatchdogAfter, ForwardTimeout: 1, ReadyTimeout: 1, ValidateTimeout: 1}, lifecycle.Deps{Beat: beat})
		defer func() { require.NoError(t, s.Stop(t.Context())) }()

		w := httptest.NewRecorder()
		s.ServeHTTP(w, request)
		require.Contains(t, []int{200, 404, 405, 500, 503}, w.Code)
		known, isHook := lifecycle.Route(request.URL.EscapedPath())
		require.Equal(t, !isHook, w.Code == http.StatusNotFound)
		require.Equal(t, isHook && method != http.MethodPost, w.Code == http.StatusMethodNotAllowed)
		id := s.ID()
		require.True(t, utf8.ValidString(id))
		require.LessOrEqual(t, len(id), microvm.MaxIDBytes)
		require.False(t, strings.ContainsAny(id, ",|:# \r\n"))
		if w.Code != http.StatusOK {
			require.Equal(t, lifecycle.Waiting, s.Phase(), "what is not answered with 200 changes nothing")
			require.Empty(t, id)
		}
		for h := range lifecycle.Hook(lifecycle.NumHooks) {
			seen := slices.Contains([]int{200, 503}, w.Code) && h == known
			require.Equal(t, seen, s.Seen(h) == 1)
		}
	})
}
