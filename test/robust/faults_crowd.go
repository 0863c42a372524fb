package robust

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vigil-agent/vigil/logs/stream"
	"github.com/vigil-agent/vigil/test/fakeintake"
)

// clients is how many senders there are in F25, the agent included; spread is the
// least time over which they have to come back: half of what the jitter of the
// first wait, 1 s ± 20 %, gives.
const (
	clients = 100
	spread  = 200 * time.Millisecond
)

// hundredClients restarts a server that has many clients: the agent, and others
// that have nothing to say.
func hundredClients() Fault {
	return Fault{
		ID: "F25", Name: "restart of a server with a hundred clients", Modes: both,
		set: func(p *play) error {
			f, err := p.fake(fakeintake.Options{})
			if err != nil {
				return err
			}
			for range clients - 1 {
				w, err := stream.New(stream.Config{Endpoints: []stream.Endpoint{{Address: f.Addr()}}}, stream.Deps{})
				if err == nil {
					err = w.Start(p.ctx)
				}
				if err != nil {
					return err
				}
				p.closers = append(p.closers, func() error { return w.Stop(context.WithoutCancel(p.ctx)) })
			}
			return nil
		},
		run: func(p *play) error {
			f := p.fakes[0]
			for _, share := range []int{5, 3, 2} {
				if err := p.arrived(p.o.Lines / share); err != nil {
					return err
				}
				if err := p.until("all clients are there", func() bool { return f.Network().Open() >= clients }); err != nil {
					return err
				}
				before := len(f.Opened())
				f.Network().Cut()
				p.played++
				if err := p.until("all clients are back", func() bool { return len(f.Opened()) >= before+clients }); err != nil {
					return err
				}
				back := f.Opened()[before : before+clients]
				if took := back[clients-1].Sub(back[0]); took < spread {
					return fmt.Errorf("%d clients came back within %s", clients, took)
				}
			}
			return nil
		},
	}
}

// movedClock sets the clock an hour back, then a day forward, and then right.
func movedClock() Fault {
	shifts := []time.Duration{-time.Hour, 24 * time.Hour, 0}
	return Fault{
		ID: "F28", Name: "the clock jumps back an hour, forward a day", Modes: both, agent: buildWithClock,
		set: func(p *play) (err error) {
			if p.clock, err = newClock(p); err != nil {
				return err
			}
			return p.script()
		},
		run: func(p *play) error {
			for i, share := range []int{5, 3, 2} {
				if err := errors.Join(p.arrived(p.o.Lines/share), p.clock.Shift(shifts[i])); err != nil {
					return err
				}
				p.played++
			}
			return nil
		},
		check: func(p *play, _ tally) error {
			lines, err := p.times(shifts)
			if err != nil {
				return err
			}
			if slices.Contains(lines, 0) {
				return fmt.Errorf("%w: lines are of the hours %v: %v", ErrNotPlayed, shifts, lines)
			}
			if p.last.StreamErrors > 0 {
				return fmt.Errorf("%d streams failed for the clock", p.last.StreamErrors)
			}
			return nil
		},
	}
}
