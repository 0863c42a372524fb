package identity_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/serverless/identity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBook(t *testing.T) {
	t.Parallel()
	b := identity.NewBook("arn", "3")
	require.Equal(t, identity.Identity{ImageARN: "arn", ImageVersion: "3"}, b.Current())
	b.Run("vm-1")
	first := b.Current()
	require.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, first.CloneGeneration)
	b.Resume()
	b.Resume()
	want := first
	want.ResumeCount = 2
	require.Equal(t, want, b.Current())
	b.Run("vm-2")
	second := b.Current()
	require.NotEqual(t, first.CloneGeneration, second.CloneGeneration)
	second.CloneGeneration = ""
	require.Equal(t, identity.Identity{MicroVMID: "vm-2", ImageARN: "arn", ImageVersion: "3"}, second)
}

func TestCheckAddress(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"127.0.0.1:8127", "localhost:0", "[::1]:65535", "127.3.2.1:1"} {
		require.NoError(t, identity.CheckAddress(good), good)
	}
	for bad, want := range map[string]string{
		":8127":           `":8127": not an address of loopback alone; use 127.0.0.1:8127`,
		"0.0.0.0:8127":    `"0.0.0.0:8127": not an address of loopback alone; use 127.0.0.1:8127`,
		"example.com:1":   `"example.com:1": not an address of loopback alone; use 127.0.0.1:1`,
		"127.0.0.1:65536": `"127.0.0.1:65536": "65536" is not a port between 0 and 65535`,
		"127.0.0.1":       `"127.0.0.1" is not host:port: address 127.0.0.1: missing port in address`,
	} {
		require.EqualError(t, identity.CheckAddress(bad), want)
	}
}

func serve(t *testing.T, b *identity.Book) *identity.Server {
	t.Helper()
	s := identity.NewServer("127.0.0.1:0", b, nil)
	require.NoError(t, s.Start(t.Context()))
	require.NoError(t, s.Start(t.Context()))
	t.Cleanup(func() {
		require.NoError(t, s.Stop(context.Background()))
		require.NoError(t, s.Stop(context.Background()))
	})
	return s
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func ask(t *testing.T, s *identity.Server, method, path, host string) (status int, body string, header http.Header) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.Addr().String()+path, nil)
	require.NoError(t, err)
	req.Host = host
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text), resp.Header
}

func TestServer(t *testing.T) {
	t.Parallel()
	b := identity.NewBook("arn:x", "3")
	s := serve(t, b)
	status, body, header := ask(t, s, http.MethodGet, identity.Path, "")
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, `{"microvm_id":"","image_arn":"arn:x","image_version":"3","clone_generation":"","resume_count":0}`+"\n", body)
	require.Equal(t, "application/json", header.Get("Content-Type"))
	b.Run("vm-1")
	b.Resume()
	_, body, _ = ask(t, s, http.MethodGet, identity.Path, "localhost")
	var got identity.Identity
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Equal(t, b.Current(), got)
	require.Equal(t, uint64(1), got.ResumeCount)

	for _, tt := range []struct {
		method, path, host string
		status             int
	}{
		{http.MethodHead, identity.Path, "", http.StatusOK},
		{http.MethodPost, identity.Path, "", http.StatusMethodNotAllowed},
		{http.MethodGet, identity.Path + "/", "", http.StatusNotFound},
		{http.MethodGet, "/", "", http.StatusNotFound},
		{http.MethodGet, identity.Path, "evil.example:80", http.StatusForbidden},
		{http.MethodGet, identity.Path, "[::1]:80", http.StatusOK},
	} {
		status, _, _ := ask(t, s, tt.method, tt.path, tt.host)
		require.Equal(t, tt.status, status, "%+v", tt)
	}
}

func TestServerThatCannotStart(t *testing.T) {
	t.Parallel()
	s := serve(t, identity.NewBook("", ""))
	second := identity.NewServer(s.Addr().String(), identity.NewBook("", ""), nil)
	require.ErrorContains(t, second.Start(t.Context()), `set serverless.identity_address to a free port of loopback, or to ""`)
	require.Nil(t, second.Addr())
	require.NoError(t, second.Stop(t.Context()))
	outside := identity.NewServer(":0", identity.NewBook("", ""), nil)
	require.ErrorIs(t, outside.Start(t.Context()), identity.ErrNotLoopback)
}

func TestStopCutsWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	s := identity.NewServer("127.0.0.1:0", identity.NewBook("", ""), nil)
	require.NoError(t, s.Start(t.Context()))
	conn, err := net.Dial("tcp", s.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "GET "+identity.Path+" HTTP/1.1\r\nHost: localhost\r\n") // never ends
	require.NoError(t, err)
	time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, s.Stop(ctx), context.DeadlineExceeded)
}

func TestFileIsNeverAHalfWrittenOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "identity.json")
	b := identity.NewBook("arn", "3")
	b.Run("vm-1")
	require.NoError(t, b.Current().Write(path))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				b.Resume()
				_ = b.Current().Write(path)
			}
		}
	})
	var last uint64
	for range 200 {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		var got identity.Identity
		require.NoError(t, json.Unmarshal(text, &got))
		require.GreaterOrEqual(t, got.ResumeCount, last)
		last = got.ResumeCount
	}
}

func TestFileThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.ErrorContains(t, identity.Identity{}.Write(filepath.Join(dir, "no", "such")), "check serverless.identity_file")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "taken"), 0o700))
	require.Error(t, identity.Identity{}.Write(filepath.Join(dir, "taken")))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left behind")

	path := filepath.Join(dir, "identity.json")
	require.NoError(t, identity.Identity{MicroVMID: "vm-1"}.Write(path))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode().Perm())
}
