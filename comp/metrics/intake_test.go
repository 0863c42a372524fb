package metrics

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

const testKey = "0123456789abcdef0123456789abcdef"

// intake is the API's side: it answers as told and keeps what it accepted.
type intake struct {
	// answer decides about request n, counted from 0; 0 stands for 202. It may
	// take over the connection, and then returns -1.
	answer func(n int, w http.ResponseWriter, r *http.Request) int

	mu       sync.Mutex
	requests int
	accepted []request
}

// request is one that was accepted, its body decoded.
type request struct {
	Path, Key, Agent, Encoding, Type string
	Body                             string
}

func (i *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	i.mu.Lock()
	n := i.requests
	i.requests++
	i.mu.Unlock()
	status := 0
	if i.answer != nil {
		status = i.answer(n, w, r)
	}
	switch status {
	case -1:
	case 0, http.StatusAccepted:
		text, err := plain(r.Header.Get("Content-Encoding"), body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		i.mu.Lock()
		i.accepted = append(i.accepted, request{
			Path: r.URL.Path, Key: r.Header.Get("DD-API-KEY"), Agent: r.UserAgent(),
			Encoding: r.Header.Get("Content-Encoding"), Type: r.Header.Get("Content-Type"), Body: text,
		})
		i.mu.Unlock()
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, `{"errors":[]}`) //nolint:errcheck // a client that is gone is part of the test
	default:
		w.WriteHeader(status)
		io.WriteString(w, `{"errors":["key `+r.Header.Get("DD-API-KEY")+` is no good"]}`) //nolint:errcheck // a client that is gone is part of the test
	}
}

// plain undoes a content encoding.
func plain(encoding string, body []byte) (string, error) {
	if encoding == "zstd" {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return "", err
		}
		defer d.Close()
		text, err := d.DecodeAll(body, nil)
		return string(text), err
	}
	r, err := zlib.NewReader(bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(r)
	return string(text), err
}

func (i *intake) count() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.requests
}

// taken are the accepted requests, in order.
func (i *intake) taken() []request {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]request(nil), i.accepted...)
}

// values is how many emitted values were accepted, counts as their sum: tests
// that use it emit counts of 1 and distribution values.
func (i *intake) values(t *testing.T) int {
	t.Helper()
	total := 0
	for _, r := range i.taken() {
		var body struct {
			Series []struct {
				Type   any   `json:"type"`
				Points []any `json:"points"`
			} `json:"series"`
		}
		require.NoError(t, json.Unmarshal([]byte(r.Body), &body))
		for _, row := range body.Series {
			for _, p := range row.Points {
				if row.Type == "distribution" {
					total += len(p.([]any)[1].([]any))
				} else {
					total += int(p.(map[string]any)["value"].(float64))
				}
			}
		}
	}
	return total
}

// serve starts the API's side on loopback.
func (i *intake) serve(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	return server
}

// output starts a Datadog output that sends to url; its log goes to the buffer.
func output(t *testing.T, url string) (*Datadog, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	d, err := NewDatadog(Config{Output: outputDatadog, APIURL: url, APIKey: testKey, Hostname: "web-1", Tags: []string{"env:dev"}},
		slog.New(slog.NewTextHandler(log, nil)))
	require.NoError(t, err)
	require.NoError(t, d.Start(t.Context()))
	t.Cleanup(func() {
		require.NoError(t, d.Stop(context.Background()))
		require.NotContains(t, log.String(), testKey)
	})
	return d, log
}

// within is a context that ends after d.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// logBuffer collects log lines.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// warnings is how many lines of that level there are.
func (b *logBuffer) warnings() int { return strings.Count(b.String(), "level=WARN") }

// rowsOf are the names and tags of the rows of requests.
func rowsOf(t *testing.T, requests []request) []string {
	t.Helper()
	var rows []string
	for _, r := range requests {
		var body struct {
			Series []struct {
				Metric string   `json:"metric"`
				Tags   []string `json:"tags"`
			} `json:"series"`
		}
		require.NoError(t, json.Unmarshal([]byte(r.Body), &body))
		for _, row := range body.Series {
			rows = append(rows, fmt.Sprintf("%s %v", row.Metric, row.Tags))
		}
	}
	return rows
}
