package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
)

// Stats are the totals of a component.
type Stats struct {
	// Output is "statsd", "datadog" or "off".
	Output string `json:"output"`
	// Address is where metrics go.
	Address string `json:"address,omitempty"`
	// Sent counts metrics handed to the DogStatsD client, or acknowledged by the
	// API; Errors counts failed writes, or failed requests.
	Sent   uint64 `json:"sent"`
	Errors uint64 `json:"errors"`
	// LastError is the newest failure, in words.
	LastError string `json:"last_error,omitempty"`

	// Dropped counts values that will never be sent, by reason. DogStatsD knows
	// "snapshot" alone.
	Dropped map[string]uint64 `json:"dropped,omitempty"`
	// Of the datadog output alone: every emitted value is sent, dropped, or held
	// (aggregated, queued or on its way).
	Emitted uint64 `json:"emitted,omitempty"`
	Held    uint64 `json:"held,omitempty"`
}

// reason is why a value was dropped.
type reason int

const (
	dropFull     reason = iota // a bound of the aggregation was reached
	dropInvalid                // no name, or not a finite number
	dropOversize               // one row is larger than a request may be
	dropRefused                // the API answered that it will never take it
	dropKey                    // the API refused the key
	dropQueue                  // newer metrics needed the room in the retry queue
	dropExpired                // too old for the API
	dropSnapshot               // every clone of a snapshot would have sent it
	dropStopped                // the agent ended
	reasons
)

// reasonNames are the values of the label, and what they mean to a person.
var reasonNames = [reasons]string{"full", "invalid", "oversize", "refused", "key", "queue", "expired", "snapshot", "stopped"}

// ledger counts values in and out.
type ledger struct {
	emitted, sent, errors atomic.Uint64
	dropped               [reasons]atomic.Uint64
}

func (l *ledger) drop(why reason, samples int) {
	if samples > 0 {
		l.dropped[why].Add(uint64(samples))
	}
}

// stats reads the totals; what goes out is read before what comes in, so that
// the difference is never negative.
func (l *ledger) stats() Stats {
	s := Stats{Sent: l.sent.Load(), Errors: l.errors.Load()}
	out := s.Sent
	for why, name := range reasonNames {
		if n := l.dropped[why].Load(); n > 0 {
			if s.Dropped == nil {
				s.Dropped = map[string]uint64{}
			}
			s.Dropped[name] = n
			out += n
		}
	}
	s.Emitted = l.emitted.Load()
	s.Held = s.Emitted - out
	return s
}

// droppedText is the drops as a person reads them, or "".
func (s Stats) droppedText() string {
	var parts []string
	for _, why := range slices.Sorted(maps.Keys(s.Dropped)) {
		parts = append(parts, fmt.Sprintf("%d %s", s.Dropped[why], why))
	}
	return strings.Join(parts, ", ")
}
