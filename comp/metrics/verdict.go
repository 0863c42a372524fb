package metrics

import (
	"net/http"
	"strconv"
	"time"
)

// verdict is what an answer of the API means for the payload.
type verdict int

const (
	delivered  verdict = iota
	again              // a later try may succeed
	tooLarge           // halves of it may succeed
	refused            // no try will succeed
	keyRefused         // no try with this key will succeed
)

// judge reads a status code.
func judge(status int) verdict {
	switch {
	case status >= 200 && status < 300:
		return delivered
	case status == http.StatusRequestEntityTooLarge:
		return tooLarge
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return keyRefused
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return again
	default:
		return refused
	}
}

// maxAsked bounds how long the API may make the agent wait.
const maxAsked = 5 * time.Minute

// asked is how long the answer asks to wait: Retry-After (RFC 9110, 10.2.3), or
// the seconds until the rate limit's period ends; 0 when it does not say.
func asked(header http.Header, now time.Time) time.Duration {
	for _, name := range []string{"Retry-After", "X-RateLimit-Reset"} {
		text := header.Get(name)
		if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
			return min(time.Duration(seconds)*time.Second, maxAsked)
		}
		if at, err := http.ParseTime(text); err == nil {
			return min(max(at.Sub(now), 0), maxAsked)
		}
	}
	return 0
}
