package robust

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Options say how faults are played.
type Options struct {
	// Agent is the program.
	Agent string
	// Lines is how many are written for each fault; 1000 at least.
	Lines int
	// Timeout bounds one fault.
	Timeout time.Duration
}

// Fault is a row of the table.
type Fault struct {
	// ID is the case's, Name what happens.
	ID, Name string
	// Modes are how the agent keeps batches while they are on their way.
	Modes []Mode
	// lines changes how many there are.
	lines func(o Options) int
	// set prepares the receiving side and the agent's configuration; run, which may
	// be nil, acts while lines are written and sent.
	set func(p *play) error
	run func(p *play) error
	// check looks at the end for what the fault should have led to; may be nil.
	check func(p *play, c tally) error
	// agent builds the agent that is played with; nil is that of the options.
	agent func(ctx context.Context, out string) error
	// aside is how many lines may be in quarantine, gone how many may be lost
	// because the agent says so.
	aside int
	gone  func(p *play) int
}

// Mode is how the agent keeps batches.
type Mode string

// The modes.
const (
	Memory Mode = "memory"
	Spool  Mode = "spool"
)

// ErrNotSupported means that a fault cannot be played here.
var ErrNotSupported = errors.New("not supported here")

// ErrNotPlayed means that the moment of a fault never came, for example because
// fewer batches were sent than it waits for: nothing was shown.
var ErrNotPlayed = errors.New("this was never played")

// Result is a fault that was played.
type Result struct {
	Fault, Name string
	Mode        Mode
	Lines       int
	Lost        int
	Duplicated  int
	// Gone is how many of the lost the agent has counted as such, because the only
	// copy was corrupt; Window is how many may have come twice.
	Gone        int
	Window      int
	Quarantined int
	// Played is how often something was done to the agent or to what it talks to.
	// StreamErrors is how many streams of the agent failed, Replayed how many
	// batches it sent again, Peak its memory in bytes.
	Played       int
	StreamErrors uint64
	Replayed     uint64
	Peak         int64
	Took         time.Duration
	// Err says what is wrong; nil when what arrived is what was written. It is
	// ErrNotSupported where the fault cannot be played.
	Err error
}

// Play plays a fault.
func (f Fault) Play(ctx context.Context, mode Mode, o Options) (r Result) {
	if f.lines != nil {
		o.Lines = f.lines(o)
	}
	r = Result{Fault: f.ID, Name: f.Name, Mode: mode, Lines: o.Lines}
	dir, err := os.MkdirTemp("", "vigil-robust-")
	if err != nil {
		r.Err = err
		return r
	}
	defer func() { r.Err = errors.Join(r.Err, os.RemoveAll(dir)) }()
	if f.agent != nil {
		o.Agent = filepath.Join(dir, "vigil")
		if r.Err = f.agent(ctx, o.Agent); r.Err != nil {
			return r
		}
	}
	begin := time.Now()
	defer func() { r.Took = time.Since(begin) }()
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	p := &play{ctx: ctx, o: o, spool: mode == Spool, dir: dir, logs: map[string]any{}, counts: map[string]counted{}, written: make(chan struct{})}
	if p.truth, r.Err = newTruth(); r.Err != nil {
		return r
	}
	c, gone, err := f.through(p)
	if err != nil {
		log, _ := os.ReadFile(p.path("agent.log"))
		err = fmt.Errorf("%w\n%s", err, tail(log))
	}
	r.Gone = gone
	r.Lost, r.Duplicated, r.Window, r.Quarantined, r.Err = c.lost, c.duplicated, p.window, c.quarantined, err
	r.Replayed, r.StreamErrors, r.Peak = p.before.ReplayedBatches+p.last.ReplayedBatches, p.before.StreamErrors+p.last.StreamErrors, p.peak
	r.Played = p.played
	for _, fake := range p.fakes {
		r.Played += len(fake.Played())
	}
	if r.Played == 0 && r.Err == nil {
		r.Err = ErrNotPlayed
	}
	return r
}

// tail is the end of a log.
func tail(log []byte) []byte { return log[max(0, len(log)-4000):] }

// through plays the fault from its beginning to the comparison.
func (f Fault) through(p *play) (c tally, gone int, err error) {
	writing := false
	defer func() {
		err = errors.Join(err, p.end())
		if writing {
			<-p.written
		}
	}()
	if err := f.set(p); err != nil {
		return c, gone, err
	}
	if err := p.start(); err != nil {
		return c, gone, err
	}
	writing = true
	go p.write() // owned by this function, which waits for written
	if f.run != nil {
		if err := f.run(p); err != nil {
			return c, gone, err
		}
	}
	if err := p.whole(); err != nil {
		return c, gone, err
	}
	waiting := p.until("everything arrives", func() bool {
		if f.gone != nil {
			gone = f.gone(p)
		}
		if p.stored()+f.aside+gone < p.o.Lines {
			return false
		}
		if c, err = p.compare(); err != nil {
			return true
		}
		// The agent must know too, or it has a reason to send it again.
		s, asking := p.status()
		return c.lost <= gone && asking == nil && s.InflightLines == 0
	})
	p.measure()
	if err := errors.Join(waiting, err, p.end()); err != nil {
		late, comparing := p.compare()
		return late, gone, errors.Join(err, comparing)
	}
	// Once more: what arrived after the last line was a repetition.
	if c, err = p.compare(); err != nil {
		return c, gone, err
	}
	return c, gone, errors.Join(f.verdict(p, c, gone)...)
}

// verdict is everything that is wrong.
func (f Fault) verdict(p *play, c tally, gone int) (errs []error) {
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	wrong(c.lost != gone, "%d lines are lost, between %d and %d; the agent counted %d", c.lost, c.firstLost, c.lastLost, gone)
	wrong(c.duplicated > p.window, "%d lines came twice, and at most %d may have", c.duplicated, p.window)
	wrong(c.foreign > 0, "%d lines arrived that nobody wrote", c.foreign)
	wrong(c.misplaced > 0, "%d lines arrived out of order", c.misplaced)
	wrong(c.quarantined != f.aside, "%d lines were put aside, not %d", c.quarantined, f.aside)
	for _, fake := range p.fakes {
		left := fake.Left()
		wrong(len(left) > 0, "%w: %q", ErrNotPlayed, left)
	}
	if f.check != nil {
		errs = append(errs, f.check(p, c))
	}
	return errs
}
