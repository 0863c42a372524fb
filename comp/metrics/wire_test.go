package metrics

import (
	"math"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/comp/metrics/series"
	"github.com/vigil-agent/vigil/comp/version"
)

// timestamp matches the ten-second buckets of a body.
var timestamp = regexp.MustCompile(`("timestamp":|\[\[)1\d{9}\b`)

func TestDatadogWire(t *testing.T) {
	t.Parallel()
	var api intake
	url := api.serve(t).URL
	d, log := output(t, url+"/")
	require.NoError(t, d.Gauge("g", 1, []string{"b:2", "a:1", "b:2"}, 1))
	require.NoError(t, d.Gauge("g", 2.5, []string{"a:1", "b:2"}, 1))
	require.NoError(t, d.Count("c", 2, nil, 0.5))
	require.NoError(t, d.Count("c", 3, nil, 1))
	require.NoError(t, d.Distribution("d", 1.5, nil, 1))
	require.NoError(t, d.Distribution("d", 0.5, nil, 1))
	require.NoError(t, d.Usage().Gauge("u", 1, []string{"microvm_id:x"}, 1))
	require.NoError(t, d.Usage().Count("u.c", 1, nil, 1))
	require.NoError(t, d.Usage().Distribution("u.d", 1, nil, 1))
	require.ErrorIs(t, d.Gauge("", 1, nil, 1), series.ErrInvalid)
	require.ErrorIs(t, d.Gauge("nan", math.NaN(), nil, 1), series.ErrInvalid)
	require.ErrorIs(t, d.Distribution("inf", math.Inf(-1), nil, 1), series.ErrInvalid)
	require.NoError(t, d.Flush(within(t, 10*time.Second)))

	got := api.taken()
	for i := range got {
		got[i].Body = timestamp.ReplaceAllString(got[i].Body, "${1}T")
	}
	agent := "vigil/" + version.Number()
	require.Equal(t, []request{
		{
			Path: "/api/v2/series", Key: testKey, Agent: agent, Encoding: "zstd", Type: "application/json",
			Body: `{"series":[` +
				`{"metric":"g","type":3,"points":[{"timestamp":T,"value":2.5}],"tags":["a:1","b:2","env:dev"],"resources":[{"name":"web-1","type":"host"}]},` +
				`{"metric":"c","type":1,"points":[{"timestamp":T,"value":5}],"tags":["env:dev"],"resources":[{"name":"web-1","type":"host"}],"interval":10},` +
				`{"metric":"u","type":3,"points":[{"timestamp":T,"value":1}],"tags":["microvm_id:x"]},` +
				`{"metric":"u.c","type":1,"points":[{"timestamp":T,"value":1}],"interval":10}]}`,
		},
		{
			Path: "/api/v1/distribution_points", Key: testKey, Agent: agent, Encoding: "deflate", Type: "application/json",
			Body: `{"series":[` +
				`{"metric":"d","points":[[T,[1.5,0.5]]],"tags":["env:dev"],"host":"web-1","type":"distribution"},` +
				`{"metric":"u.d","points":[[T,[1]]],"type":"distribution"}]}`,
		},
	}, got)
	require.Equal(t, Stats{
		Output: "datadog", Address: url + "/", Emitted: 12, Sent: 9, Dropped: map[string]uint64{"invalid": 3},
	}, d.Stats())
	require.Zero(t, log.warnings(), log)
}

// A flush with nothing to send asks nobody.
func TestDatadogFlushOfNothing(t *testing.T) {
	t.Parallel()
	var api intake
	d, _ := output(t, api.serve(t).URL)
	require.NoError(t, d.Flush(t.Context()))
	require.Zero(t, api.count())
}
