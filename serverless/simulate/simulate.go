package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Progress is told what is going on; nil functions are not called.
type Progress struct {
	// OnScenario is called before a scenario is played.
	OnScenario func(s *Scenario, number, of int)
	// OnStep is called before each step.
	OnStep func(s *Scenario, step *Step)
	// OnEnd is called once when everything is played.
	OnEnd func()
}

// Simulator plays scenarios against one image.
type Simulator struct {
	cfg      Config
	progress Progress
}

// New checks the configuration and starts nothing.
func New(cfg Config, progress Progress) (*Simulator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if progress.OnScenario == nil {
		progress.OnScenario = func(*Scenario, int, int) {}
	}
	if progress.OnStep == nil {
		progress.OnStep = func(*Scenario, *Step) {}
	}
	if progress.OnEnd == nil {
		progress.OnEnd = func() {}
	}
	return &Simulator{cfg: cfg, progress: progress}, nil
}

// Run plays the scenarios one after the other, each on a fresh machine, and
// judges them. When the image never becomes ready the rest is not played. The
// error, ErrStart among others, says that the simulation failed, not that a rule
// was broken; then there is no report. Nothing it started is left when it
// returns.
func (s *Simulator) Run(ctx context.Context, scenarios []*Scenario) (*Report, error) {
	defer s.progress.OnEnd()
	begin := time.Now()
	var traces []*Trace
	var unplayed []string
	var heard hearing
	for i, scenario := range scenarios {
		s.progress.OnScenario(scenario, i+1, len(scenarios))
		p := &player{cfg: &s.cfg, scenario: scenario, hearing: &heard, onStep: func(step *Step) { s.progress.OnStep(scenario, step) }}
		trace, err := p.play(ctx)
		if err != nil {
			return nil, fmt.Errorf("scenario %s: %w", scenario.Name, err)
		}
		traces = append(traces, trace)
		if neverReady(trace) {
			for _, rest := range scenarios[i+1:] {
				unplayed = append(unplayed, rest.Name)
			}
			break
		}
	}
	report := judge(traces, s.cfg.policy())
	report.Command = s.cfg.Command
	report.Unplayed = unplayed
	report.Seconds = time.Since(begin).Seconds()
	return report, nil
}

// neverReady reports that no machine of the scenario answered ready with 200
// although it was called.
func neverReady(t *Trace) bool {
	ready := func(c Call) bool { return c.Kind == Proper && strings.HasSuffix(c.Path, "/ready") }
	return slices.ContainsFunc(t.Calls, ready) && !slices.ContainsFunc(t.Calls, func(c Call) bool { return ready(c) && c.OK() })
}
