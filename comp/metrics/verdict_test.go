package metrics

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]verdict{
		200: delivered, 202: delivered, 204: delivered,
		301: refused, 302: refused, 307: refused,
		400: refused, 404: refused, 405: refused, 415: refused, 422: refused,
		401: keyRefused, 403: keyRefused,
		408: again, 429: again, 500: again, 502: again, 503: again, 504: again, 599: again,
		413: tooLarge,
	} {
		require.Equal(t, want, judge(status), status)
	}
}

func TestAsked(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 1, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		header map[string]string
		want   time.Duration
	}{
		{nil, 0},
		{map[string]string{"Retry-After": "7"}, 7 * time.Second},
		{map[string]string{"Retry-After": "0"}, 0},
		{map[string]string{"Retry-After": "Sat, 21 Nov 2026 01:00:09 GMT"}, 9 * time.Second},
		{map[string]string{"Retry-After": "Sat, 21 Nov 2026 00:00:00 GMT"}, 0},
		{map[string]string{"Retry-After": "86400"}, maxAsked},
		{map[string]string{"Retry-After": "-3"}, 0},
		{map[string]string{"Retry-After": "soon", "X-RateLimit-Reset": "12"}, 12 * time.Second},
		{map[string]string{"X-RateLimit-Reset": "99999999999999999999"}, 0},
	} {
		header := http.Header{}
		for name, value := range c.header {
			header.Set(name, value)
		}
		require.Equal(t, c.want, asked(header, now), c.header)
	}
}

func TestJitterIsFull(t *testing.T) {
	t.Parallel()
	for n, ceiling := range map[int]time.Duration{0: 500 * time.Millisecond, 1: time.Second, 5: 16 * time.Second, 7: time.Minute, 70: time.Minute} {
		least, most := ceiling, time.Duration(0)
		for range 300 {
			wait := jitter(n)
			require.GreaterOrEqual(t, wait, time.Duration(0))
			require.Less(t, wait, ceiling)
			least, most = min(least, wait), max(most, wait)
		}
		require.Less(t, least, ceiling/10, n)
		require.Greater(t, most, ceiling*9/10, n)
	}
}
