package api

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func routes() []Route {
	say := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) })
	}
	return []Route{
		{Pattern: "GET /v1/config", Handler: say("secret")},
		{Pattern: "GET /live", Handler: say("live"), Public: true},
	}
}

func local(t *testing.T, path string) *Server {
	t.Helper()
	s := NewLocal(path, slog.New(slog.DiscardHandler))
	require.NoError(t, s.Mount(routes()))
	return s
}

func TestUnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "vigil.sock")
	client := NewClient(path)
	_, err := client.Get(t.Context(), "/live")
	require.ErrorIs(t, err, ErrNotRunning)
	require.EqualError(t, err, "no agent is running on "+path+"; start it with `vigil run`, or name its socket with --socket or --config")

	s := local(t, path)
	require.NoError(t, s.Start(t.Context()))
	require.NoError(t, s.Start(t.Context()))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	body, err := client.Get(t.Context(), "/v1/config")
	require.NoError(t, err)
	require.Equal(t, "secret", string(body))
	_, err = client.Get(t.Context(), "/nothing")
	require.EqualError(t, err, "the agent answered /nothing with 404 Not Found")

	other := local(t, path)
	require.ErrorIs(t, other.Start(t.Context()), ErrInUse)
	require.NoError(t, other.Stop(t.Context()))

	require.NoError(t, s.Stop(t.Context()))
	require.NoError(t, s.Stop(t.Context()))
	_, err = os.Stat(path)
	require.ErrorIs(t, err, os.ErrNotExist)
}

// A killed agent leaves its socket file; the next one takes its place.
func TestStaleSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "vigil.sock")
	listener, err := net.Listen("unix", path)
	require.NoError(t, err)
	listener.(*net.UnixListener).SetUnlinkOnClose(false)
	require.NoError(t, listener.Close())
	_, err = NewClient(path).Get(t.Context(), "/live")
	require.ErrorIs(t, err, ErrNotRunning)

	s := local(t, path)
	require.NoError(t, s.Start(t.Context()))
	require.NoError(t, s.Stop(t.Context()))
}

func TestSocketPathIsNotADirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	err := local(t, filepath.Join(file, "vigil.sock")).Start(t.Context())
	require.ErrorContains(t, err, "set api.socket to a path you may write")
}

func TestPublicServesOnlyPublicRoutes(t *testing.T) {
	s := NewPublic("127.0.0.1:0", slog.New(slog.DiscardHandler))
	require.NoError(t, s.Mount(routes()))
	require.Nil(t, s.Addr())
	require.NoError(t, s.Start(t.Context()))
	defer func() { require.NoError(t, s.Stop(t.Context())) }()
	transport := &http.Transport{DisableKeepAlives: true}
	client := http.Client{Transport: transport}
	for path, want := range map[string]int{"/live": 200, "/v1/config": 404} {
		response, err := client.Get("http://" + s.Addr().String() + path)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, want, response.StatusCode, path)
	}
	busy := NewPublic(s.Addr().String(), slog.New(slog.DiscardHandler))
	require.ErrorContains(t, busy.Start(t.Context()), "address already in use")
}

func TestDoubledRoute(t *testing.T) {
	require.ErrorContains(t, local(t, "").Mount(routes()), `register route "GET /v1/config"`)
}
