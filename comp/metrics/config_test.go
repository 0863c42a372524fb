package metrics

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNewPicksTheOutput(t *testing.T) {
	t.Parallel()
	log := slog.New(slog.DiscardHandler)
	for _, name := range []string{"", "statsd"} {
		o, err := New(Config{Output: name}, log)
		require.NoError(t, err)
		require.IsType(t, (*Statsd)(nil), o)
	}
	o, err := New(Config{Output: "datadog", APIURL: "https://api.datadoghq.com", APIKey: testKey}, log)
	require.NoError(t, err)
	require.IsType(t, (*Datadog)(nil), o)

	_, err = New(Config{Output: "datadog", APIURL: "https://api.datadoghq.com"}, log)
	require.ErrorIs(t, err, ErrNoKey)
	_, err = New(Config{Output: "graphite"}, log)
	require.EqualError(t, err, `metrics.output "graphite" is not known: choose statsd or datadog`)
}

func TestURLsThatMayCarryTheKey(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"https://api.datadoghq.com", "https://10.0.0.1:8443/dd/", "http://127.0.0.1:80", "http://localhost", "http://[::1]:1"} {
		require.NoError(t, checkURL(good), good)
	}
	for _, bad := range []string{"", "api.datadoghq.com", "http://api.datadoghq.com", "http://10.0.0.1", "ftp://127.0.0.1", "https://", "https://h?x", "https://h/#x", "https://u:p@h", "http://127.0.0.1.example.com", "%"} {
		err := checkURL(bad)
		require.ErrorContains(t, err, "metrics.api_url", bad)
		require.NotContains(t, err.Error(), "u:p@")
	}
}

func TestConfigHidesTheKey(t *testing.T) {
	t.Parallel()
	c := Config{Output: "datadog", APIKey: testKey}
	encoded, err := json.Marshal(c)
	require.NoError(t, err)
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%v %+v %#v %s", c, c, &c, &c), string(encoded)} {
		require.NotContains(t, text, testKey)
		require.Contains(t, text, "datadog")
	}
}
