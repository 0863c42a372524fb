package simulate

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

const seriesExample = `{"series":[{"metric":"g","type":3,"points":[{"timestamp":1,"value":2.5}],"tags":["a:1"]},` +
	`{"metric":"c","type":1,"points":[{"timestamp":1,"value":3},{"timestamp":11,"value":4}]}]}`

var seriesWant = []Sample{
	{Name: "g", Type: "g", Value: 2.5, Tags: []string{"a:1"}}, {Name: "c", Type: "c", Value: 3}, {Name: "c", Type: "c", Value: 4},
}

func packed(t *testing.T, encoding, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	var err error
	switch encoding {
	case "zstd":
		w, err = zstd.NewWriter(&out)
	case "deflate":
		w = zlib.NewWriter(&out)
	case "gzip":
		w = gzip.NewWriter(&out)
	default:
		return []byte(text)
	}
	require.NoError(t, err)
	_, err = io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

func TestParseSeries(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"", "identity", "zstd", "deflate", "gzip"} {
		got, err := parseSeries(seriesPath, encoding, packed(t, encoding, seriesExample))
		require.NoError(t, err, encoding)
		require.Equal(t, seriesWant, got, encoding)
	}
	got, err := parseSeries(distributionPath, "", []byte(`{"series":[{"metric":"d","type":"distribution","points":[[1,[1,0.5]]],"tags":["x"]}]}`))
	require.NoError(t, err)
	require.Equal(t, []Sample{{Name: "d", Type: "d", Value: 1, Tags: []string{"x"}}, {Name: "d", Type: "d", Value: 0.5, Tags: []string{"x"}}}, got)

	for name, tt := range map[string]struct{ path, encoding, body string }{
		"no JSON":          {seriesPath, "", "x"},
		"damaged zstd":     {seriesPath, "zstd", "x"},
		"unknown encoding": {seriesPath, "br", "{}"},
		"no name":          {seriesPath, "", `{"series":[{"points":[]}]}`},
		"no value":         {seriesPath, "", `{"series":[{"metric":"m","points":[{}]}]}`},
		"no pair":          {distributionPath, "", `{"series":[{"metric":"m","points":[[1]]}]}`},
		"a bomb":           {seriesPath, "zstd", string(packed(t, "zstd", strings.Repeat(" ", maxRaw+1)))},
	} {
		_, err := parseSeries(tt.path, tt.encoding, []byte(tt.body))
		require.ErrorIs(t, err, errNoSeries, name)
	}
}

func FuzzParseSeries(f *testing.F) {
	f.Add(false, "", []byte(seriesExample))
	f.Add(true, "", []byte(`{"series":[{"metric":"d","points":[[1,[1,0.5]]]}]}`))
	f.Add(false, "zstd", []byte("\x28\xb5\x2f\xfd"))
	f.Fuzz(func(t *testing.T, distribution bool, encoding string, body []byte) {
		path := seriesPath
		if distribution {
			path = distributionPath
		}
		samples, err := parseSeries(path, encoding, body)
		if err != nil {
			require.Empty(t, samples)
		}
		for _, s := range samples {
			require.NotEmpty(t, s.Name)
			require.False(t, math.IsNaN(s.Value) || math.IsInf(s.Value, 0))
		}
	})
}

// The collector answers for the API, and wakes who waits for a heartbeat.
func TestCollectorHearsTheAPI(t *testing.T) {
	t.Parallel()
	c, err := newCollector(3, time.Now())
	require.NoError(t, err)
	transport := &http.Transport{DisableKeepAlives: true}
	post := func(path, body string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.apiURL()+path, strings.NewReader(body))
		require.NoError(t, err)
		response, err := transport.RoundTrip(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	_, next := c.newest()
	require.Equal(t, http.StatusBadRequest, post(seriesPath, "x"))
	require.Equal(t, http.StatusNotFound, post("/api/v1/check_run", "{}"))
	require.Equal(t, http.StatusAccepted, post(seriesPath, strings.ReplaceAll(seriesExample, `"g"`, `"`+heartbeatMetric+`"`)))
	<-next
	samples := c.stop()
	require.Len(t, samples, 3)
	require.Equal(t, heartbeatMetric, samples[0].Name)
	require.Equal(t, 3, samples[0].Machine)
	require.Positive(t, samples[0].At)
}
