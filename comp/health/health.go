// Package health answers one question for each component: does it do its job,
// and if not, why, and what should be done. The answers feed /live, /ready,
// /health and the head of `vigil status`.
package health

import (
	"slices"
	"strings"
)

// State is where a component stands.
type State string

// States. Off is a component nobody asked for; Degraded is one that was asked
// for and cannot do its job while the others go on.
const (
	Off      State = "off"
	Starting State = "starting"
	OK       State = "ok"
	Degraded State = "degraded"
	Stopped  State = "stopped"
)

// Report is the state of one component.
type Report struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// Reason says what is wrong and Fix what to do; both are empty unless the
	// component is degraded.
	Reason string `json:"reason,omitempty"`
	Fix    string `json:"fix,omitempty"`
	// Running says that a degraded component has started and goes on trying: what
	// keeps it from its job may pass.
	Running bool `json:"-"`
}

// Reporter is what a component contributes.
type Reporter interface {
	// Health is cheap and safe to call at any time, also before the start.
	Health() Report
}

// Registry collects the reporters.
type Registry struct{ reporters []Reporter }

// New returns a registry of the reporters.
func New(reporters []Reporter) *Registry { return &Registry{reporters: reporters} }

// Reports are the reports of all components, sorted by name.
func (r *Registry) Reports() []Report {
	reports := make([]Report, 0, len(r.reporters))
	for _, reporter := range r.reporters {
		reports = append(reports, reporter.Health())
	}
	slices.SortFunc(reports, func(a, b Report) int { return strings.Compare(a.Name, b.Name) })
	return reports
}

// Ready says whether every component that was asked for does its job.
func Ready(reports []Report) bool {
	return !slices.ContainsFunc(reports, func(r Report) bool {
		return r.State != OK && r.State != Off
	})
}

// Problems are the reports of the components that do not do their job.
func Problems(reports []Report) []Report {
	var problems []Report
	for _, r := range reports {
		if r.State == Degraded {
			problems = append(problems, r)
		}
	}
	return problems
}
