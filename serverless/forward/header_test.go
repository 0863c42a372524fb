package forward

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEndToEndHeaders(t *testing.T) {
	t.Parallel()
	in := http.Header{
		"Accept-Encoding": {"gzip"},
		"Connection":      {"close, X-Hop", "x-other"},
		"Content-Type":    {"application/json"},
		"Expect":          {"100-continue"},
		"Keep-Alive":      {"5"},
		"Te":              {"trailers"},
		"Traceparent":     {"00-a-b-01"},
		"Upgrade":         {"h2c"},
		"X-Hop":           {"1"},
		"X-Other":         {"2"},
		"X-Twice":         {"1", "2"},
	}
	before := in.Clone()
	require.Equal(t, http.Header{
		"Accept-Encoding": {"gzip"},
		"Content-Type":    {"application/json"},
		"Traceparent":     {"00-a-b-01"},
		"User-Agent":      {""},
		"X-Twice":         {"1", "2"},
	}, endToEnd(in))
	require.Equal(t, before, in)
	require.Equal(t, http.Header{"User-Agent": {""}}, endToEnd(nil))
	require.Equal(t, http.Header{"User-Agent": {"curl"}}, endToEnd(http.Header{"User-Agent": {"curl"}}))
}
