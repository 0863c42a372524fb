package robust

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/vigil-agent/vigil/logs/intake/journal"
	"github.com/vigil-agent/vigil/test/harness"
)

// buildWithClock builds an agent whose clock can be moved.
func buildWithClock(ctx context.Context, out string) error {
	return harness.BuildWithClock(ctx, harness.Agent, out, "-ldflags=-s -w")
}

// newClock is the clock of the agents of p.
func newClock(p *play) (harness.Clock, error) {
	p.from = time.Now()
	clock, err := harness.NewClock(p.path("clock"))
	p.env = append(p.env, clock.Env())
	return clock, err
}

// times counts the lines that arrived by the shift of the clock when they were
// read. One whose time is of no shift is an error.
func (p *play) times(shifts []time.Duration) ([]int, error) {
	lines := make([]int, len(shifts))
	// A clock shows whole milliseconds.
	from, to := p.from.Truncate(time.Millisecond), time.Now()
	for _, path := range p.journals {
		for l, err := range journal.Read(path) {
			if err != nil {
				return nil, err
			}
			at := time.UnixMilli(l.Time)
			i := slices.IndexFunc(shifts, func(shift time.Duration) bool {
				real := at.Add(-shift)
				return !real.Before(from) && !real.After(to)
			})
			if i < 0 {
				return nil, fmt.Errorf("line %d is of %s, which no clock has shown", number(l.Message), at)
			}
			lines[i]++
		}
	}
	return lines, nil
}
