package lifecycle

import (
	"strconv"
	"time"
)

// SpendHeader tells the caller what the hook's time went into, in the form of
// Server-Timing: phases in the order of work with their milliseconds, then the
// total and the budget.
const SpendHeader = "Vigil-Hook-Spend"

// spend is the record of one hook's phases.
type spend struct {
	begun, last time.Time
	text        []byte
}

func newSpend(now time.Time) *spend {
	return &spend{begun: now, last: now, text: make([]byte, 0, 160)}
}

// mark ends the phase that began with the previous mark.
func (s *spend) mark(phase string) {
	now := time.Now()
	s.add(phase, now.Sub(s.last))
	s.last = now
}

func (s *spend) add(name string, d time.Duration) {
	if len(s.text) > 0 {
		s.text = append(s.text, ", "...)
	}
	s.text = append(s.text, name...)
	s.text = append(s.text, ";dur="...)
	s.text = strconv.AppendFloat(s.text, float64(d)/float64(time.Millisecond), 'f', 3, 64)
}

// close adds the totals and returns the whole record.
func (s *spend) close(budget time.Duration) string {
	s.add("total", s.last.Sub(s.begun))
	s.add("budget", budget)
	return string(s.text)
}
