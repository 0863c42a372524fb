package forward

import (
	"net/http"
	"strings"
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

// FuzzEndToEnd: whatever a caller sends, nothing of its own connection goes on,
// and nothing else is lost.
func FuzzEndToEnd(f *testing.F) {
	f.Add("Connection", "close, X-Private", "X-Private", "1")
	f.Add("Connection", " ,,\t,TE", "Te", "trailers")
	f.Add("Transfer-Encoding", "chunked", "Content-Type", "text/plain")
	f.Add("", "", "\x00", "\xff")
	f.Add("Connection", "Connection", "Keep-Alive", "timeout=5")
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		in := http.Header{}
		in.Add(name1, value1)
		in.Add(name2, value2)
		before := in.Clone()
		out := endToEnd(in)
		require.Equal(t, before, in, "the caller's header is left alone")
		private := map[string]bool{}
		for _, list := range in.Values("Connection") {
			for name := range strings.SplitSeq(list, ",") {
				private[http.CanonicalHeaderKey(strings.Trim(name, " \t"))] = true
			}
		}
		for _, name := range hopByHop {
			private[name] = true
		}
		want := http.Header{}
		for name, values := range in {
			if !private[http.CanonicalHeaderKey(name)] {
				want[name] = values
			}
		}
		if _, sent := want["User-Agent"]; !sent {
			want["User-Agent"] = []string{""}
		}
		require.Equal(t, want, out)
	})
}
