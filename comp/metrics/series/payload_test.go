package series

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

func counts(n int, tag string) []Point {
	points := make([]Point, n)
	for i := range points {
		points[i] = Point{Metric: fmt.Sprintf("m.%d", i), Kind: Count, Time: int64(100 - i%3), Value: 1, Tags: []string{tag}, Samples: 2}
	}
	return points
}

// metrics are the names in a body, in order.
func metrics(t *testing.T, body []byte) []string {
	t.Helper()
	var decoded struct {
		Series []struct {
			Metric string `json:"metric"`
		} `json:"series"`
	}
	require.NoError(t, json.Unmarshal(body, &decoded))
	var names []string
	for _, s := range decoded.Series {
		names = append(names, s.Metric)
	}
	return names
}

func TestPayloadsByEndpoint(t *testing.T) {
	t.Parallel()
	payloads, oversize := Payloads([]Point{
		{Metric: "d", Kind: Distribution, Time: 90, Values: []float64{1, 2.5}, Tags: []string{"a:<&>\"é\xff"}, Samples: 2},
		{Metric: "g", Kind: Gauge, Time: 100, Value: 1e21, Samples: 3},
		{Metric: "c", Kind: Count, Time: 80, Value: 7, Host: "h", Samples: 4},
	})
	require.Zero(t, oversize)
	require.Len(t, payloads, 2)
	require.Equal(t, `{"series":[{"metric":"g","type":3,"points":[{"timestamp":100,"value":1e+21}]},`+
		`{"metric":"c","type":1,"points":[{"timestamp":80,"value":7}],"resources":[{"name":"h","type":"host"}],"interval":10}]}`, string(payloads[0].Raw()))
	require.Equal(t, `{"series":[{"metric":"d","points":[[90,[1,2.5]]],"tags":["a:\u003c\u0026\u003e\"é\ufffd"],"type":"distribution"}]}`, string(payloads[1].Raw()))
	for i, want := range []Payload{{Endpoint: Series, Oldest: 80, Samples: 7}, {Endpoint: Distributions, Oldest: 90, Samples: 2}} {
		require.Equal(t, len(payloads[i].Raw()), payloads[i].Size)
		want.Size, want.rows = payloads[i].Size, payloads[i].rows
		require.Equal(t, want, payloads[i])
	}
	none, _ := Payloads(nil)
	require.Empty(t, none)
}

// Payloads are cut at the uncompressed limit, to the byte.
func TestPayloadLimit(t *testing.T) {
	t.Parallel()
	points := counts(1000, strings.Repeat("x", 20_000))
	payloads, oversize := Payloads(points)
	require.Zero(t, oversize)
	require.Greater(t, len(payloads), 3)
	var names []string
	samples := 0
	for i, p := range payloads {
		raw := p.Raw()
		require.LessOrEqual(t, len(raw), Series.MaxRaw)
		require.Len(t, raw, p.Size)
		if i < len(payloads)-1 {
			require.Greater(t, len(raw), Series.MaxRaw-25_000, "nearly full")
		}
		names = append(names, metrics(t, raw)...)
		samples += p.Samples
	}
	require.Len(t, names, 1000)
	require.Equal(t, "m.999", names[999])
	require.Equal(t, 2000, samples)

	encoded, err := points[0].row()
	require.NoError(t, err)
	fit := Endpoint{MaxRaw: len(head) + 2*len(encoded) + 1 + len(tail)}
	rows := []row{{json: encoded}, {json: encoded}, {json: encoded}}
	require.Len(t, pack(fit, rows), 2, "two fit exactly")
	fit.MaxRaw--
	require.Len(t, pack(fit, rows), 3)
}

func TestOversizeRow(t *testing.T) {
	t.Parallel()
	points := counts(3, "t")
	points[1].Tags = []string{strings.Repeat("x", Series.MaxRaw)}
	payloads, oversize := Payloads(points)
	require.Equal(t, 2, oversize)
	require.Equal(t, []string{"m.0", "m.2"}, metrics(t, payloads[0].Raw()))
}

func TestHalves(t *testing.T) {
	t.Parallel()
	payloads, _ := Payloads(counts(5, "t"))
	first, second, ok := payloads[0].Halves()
	require.True(t, ok)
	require.Equal(t, []string{"m.0", "m.1"}, metrics(t, first.Raw()))
	require.Equal(t, []string{"m.2", "m.3", "m.4"}, metrics(t, second.Raw()))
	require.Equal(t, []int{4, 6}, []int{first.Samples, second.Samples})
	require.Equal(t, []int64{99, 98}, []int64{first.Oldest, second.Oldest})
	require.Len(t, first.Raw(), first.Size)
	single, _, ok := first.Halves()
	require.True(t, ok)
	_, _, ok = single.Halves()
	require.False(t, ok)
}

func TestBody(t *testing.T) {
	t.Parallel()
	points := counts(50, "t")
	payloads, _ := Payloads(append(points, Point{Metric: "d", Kind: Distribution, Values: []float64{1}}))
	body, err := payloads[0].Body()
	require.NoError(t, err)
	d, err := zstd.NewReader(nil)
	require.NoError(t, err)
	defer d.Close()
	raw, err := d.DecodeAll(body, nil)
	require.NoError(t, err)
	require.Equal(t, string(payloads[0].Raw()), string(raw))
	require.Less(t, len(body), len(raw)/4)

	body, err = payloads[1].Body()
	require.NoError(t, err)
	z, err := zlib.NewReader(bytes.NewReader(body))
	require.NoError(t, err)
	raw, err = io.ReadAll(z)
	require.NoError(t, err)
	require.Equal(t, string(payloads[1].Raw()), string(raw))
}
