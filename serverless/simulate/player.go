package simulate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// exitLag is how much later than its connections an entrypoint that died may be
// seen to have ended.
const exitLag = 200 * time.Millisecond

// player plays one scenario and writes its trace.
type player struct {
	cfg      *Config
	scenario *Scenario
	hearing  *hearing
	begin    time.Time
	platform *platform
	trace    *Trace
	machine  *machine
	machines int
	onStep   func(*Step)
}

// hearing remembers over all scenarios of a run whether the image sends
// heartbeats at all, so that no time is spent on waiting for what never comes.
type hearing struct {
	heard, deaf bool
}

// cut ends a scenario early; it is no error of the simulator.
type cut struct{ why string }

func (c cut) Error() string { return c.why }

// play plays the scenario. The trace is complete as far as it was played, also
// when an error is returned; the error says that the simulation itself failed.
func (p *player) play(ctx context.Context) (*Trace, error) {
	p.begin = time.Now()
	p.trace = &Trace{Scenario: p.scenario.Name}
	p.platform = newPlatform(p.begin)
	defer p.platform.client.CloseIdleConnections()
	err := p.boot()
	for i := range p.scenario.Steps {
		if err != nil || ctx.Err() != nil {
			break
		}
		s := &p.scenario.Steps[i]
		p.onStep(s)
		if err = p.step(ctx, s); err == nil && p.machine != nil && !p.machine.alive() {
			err = cut{fmt.Sprintf("the entrypoint ended at %s", s)}
		}
	}
	err = errors.Join(err, p.putAway(Killed))
	p.trace.End = time.Since(p.begin)
	if early, ok := errors.AsType[cut](err); ok {
		p.trace.Cut, err = early.why, nil
	}
	return p.trace, cmp.Or(ctx.Err(), err)
}

func (p *player) boot() error {
	m, err := boot(p.cfg, slices.Concat(p.cfg.Env, p.scenario.Env), p.machines, p.begin)
	if err != nil {
		return err
	}
	p.machine = m
	p.machines++
	return nil
}

// putAway ends the machine, if there is one, and keeps what it sent.
func (p *player) putAway(cause Cause) error {
	m := p.machine
	if m == nil {
		return nil
	}
	p.machine = nil
	itself := !m.alive()
	at := time.Since(p.begin)
	samples, err := m.putAway()
	p.trace.Samples = append(p.trace.Samples, samples...)
	for i := range samples {
		p.hearing.heard = p.hearing.heard || samples[i].Name == heartbeatMetric
	}
	if cause != Stopped {
		exit := Exit{Machine: m.number, At: at, Cause: cause}
		if itself {
			exit.At, exit.Cause, exit.Code = m.endedAt.Sub(p.begin), Itself, m.code()
		}
		p.trace.Exits = append(p.trace.Exits, exit)
	}
	return err
}

func (p *player) step(ctx context.Context, s *Step) error {
	if p.machine == nil && s.Verb != DoClone {
		return cut{fmt.Sprintf("%s: the machine is gone; only clone starts another", s)}
	}
	switch s.Verb {
	case DoHook:
		return p.hook(ctx, s)
	case DoCall:
		p.foreign(ctx, s)
	case DoTogether:
		p.together(ctx, s)
	case DoFreeze:
		from, to := p.machine.freeze(ctx, s.For)
		p.trace.Freezes = append(p.trace.Freezes, Freeze{Machine: p.machine.number, From: from.Sub(p.begin), To: to.Sub(p.begin)})
	case DoWait:
		p.wait(ctx, s.For)
	case DoAwait:
		p.await(ctx)
	case DoSettle:
		if !p.hearing.deaf {
			p.wait(ctx, p.cfg.SampleWindow)
		}
	case DoStop:
		return p.stop(ctx)
	case DoKill:
		return p.putAway(Killed)
	case DoClone:
		return p.clone(ctx, s)
	}
	return nil
}

// wait lets time pass as long as the entrypoint runs.
func (p *player) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-p.machine.ended:
	}
}

// await waits for a heartbeat that is newer than the latest call.
func (p *player) await(ctx context.Context) {
	if p.hearing.deaf {
		return
	}
	var since time.Duration
	if n := len(p.trace.Calls); n > 0 {
		since = p.trace.Calls[n-1].Sent
	}
	timer := time.NewTimer(p.cfg.SampleWindow)
	defer timer.Stop()
	for {
		at, next := p.machine.collector.newest()
		p.hearing.heard = p.hearing.heard || at >= 0
		if at >= since {
			return
		}
		select {
		case <-next:
		case <-timer.C:
			p.hearing.deaf = !p.hearing.heard && !p.cfg.ExpectHeartbeat
			return
		case <-ctx.Done():
			return
		case <-p.machine.ended:
			return
		}
	}
}

func (p *player) prepare(s *Step, h lifecycle.Hook) Call {
	return Call{
		Step: s.String(), Machine: p.machine.number, Hook: h, Method: http.MethodPost, Path: lifecycle.BasePath + h.String(),
		Limit: p.cfg.Timeouts[h], Expect: s.Expect,
	}
}

func (p *player) hook(ctx context.Context, s *Step) error {
	c, body := p.prepare(s, s.Hook), s.body()
	classifyRun(&c, s, body)
	if s.Hook > lifecycle.Validate {
		p.platform.send(ctx, p.machine.port, &c, body)
	} else {
		p.platform.insist(ctx, p.machine.port, &c, body, p.machine.ended)
	}
	if ctx.Err() != nil {
		return nil // the call was cut by the person, and says nothing
	}
	p.trace.Calls = append(p.trace.Calls, c)
	if c.Status == 0 {
		p.wait(ctx, exitLag)
	}
	if s.Hook != lifecycle.Ready {
		return nil
	}
	if !c.OK() {
		return cut{"the image never became ready"}
	}
	if found := listeners(p.machine.port); len(found) > 0 {
		p.trace.Listens = append(p.trace.Listens, listen(p.machine.number, found))
	}
	return nil
}

// classifyRun fills in what the body of a run is.
func classifyRun(c *Call, s *Step, body []byte) {
	if c.Hook != lifecycle.Run {
		return
	}
	c.ID, _ = lifecycle.ParseRun(body)
	switch {
	case len(body) > lifecycle.MaxBodyBytes:
		c.Kind = Oversize
	case s.HasBody && c.ID == "":
		c.Kind = Malformed
	}
}

// foreign sends what is no hook, or with a method of its own.
func (p *player) foreign(ctx context.Context, s *Step) {
	c := p.prepare(s, lifecycle.Ready)
	c.Method, c.Path = s.Method, s.Path
	if !strings.HasPrefix(c.Path, "/") {
		c.Path = lifecycle.BasePath + c.Path
	}
	hook, known := lifecycle.Route(c.Path)
	c.Limit = p.cfg.Timeouts[lifecycle.Run]
	switch {
	case !known:
		c.Kind = WrongPath
	case s.Method != http.MethodPost:
		c.Kind, c.Hook = WrongMethod, hook
	default:
		c.Hook, c.Limit = hook, p.cfg.Timeouts[hook]
		classifyRun(&c, s, s.Body)
	}
	p.platform.send(ctx, p.machine.port, &c, s.Body)
	if ctx.Err() == nil {
		p.trace.Calls = append(p.trace.Calls, c)
	}
}

// together sends hooks side by side; they are in the trace in the order in which
// they were sent.
func (p *player) together(ctx context.Context, s *Step) {
	calls := make([]Call, len(s.Together))
	var wg sync.WaitGroup
	for i, h := range s.Together {
		calls[i] = p.prepare(s, h)
		calls[i].Together = true
		wg.Go(func() { p.platform.send(ctx, p.machine.port, &calls[i], nil) })
	}
	wg.Wait()
	slices.SortStableFunc(calls, func(a, b Call) int { return cmp.Compare(a.Sent, b.Sent) })
	if ctx.Err() == nil {
		p.trace.Calls = append(p.trace.Calls, calls...)
	}
}

func (p *player) stop(ctx context.Context) error {
	m := p.machine
	took, left, inTime := m.stop(ctx, p.cfg.StopTimeout)
	if ctx.Err() != nil {
		return nil
	}
	exit := Exit{Machine: m.number, At: time.Since(p.begin), Cause: Stopped, Took: took, Left: left, Late: !inTime}
	if inTime {
		exit.Code = m.code()
	}
	p.trace.Exits = append(p.trace.Exits, exit)
	return p.putAway(Stopped)
}

// clone puts the machine away and takes another one from the image to ready:
// the state in which the platform takes the snapshot that clones start from.
func (p *player) clone(ctx context.Context, s *Step) error {
	if err := p.putAway(Killed); err != nil {
		return err
	}
	if err := p.boot(); err != nil {
		return err
	}
	ready := *s
	ready.Verb, ready.Hook = DoHook, lifecycle.Ready
	return p.hook(ctx, &ready)
}
