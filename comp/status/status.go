// Package status is the one page that says how the agent is: problems first,
// then a section for each component. `vigil status` prints it and the local API
// serves it, as text and as JSON.
package status

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/comp/health"
)

// Section is what one component contributes.
type Section struct {
	// Name is the component's name; it ties the section to its health report.
	Name string
	// Data is marshalled as JSON.
	Data any
	// Text are the lines a person reads, without indentation.
	Text []string
}

// Provider contributes a section. Status is cheap and safe at any time.
type Provider interface{ Status() Section }

// Page collects the sections.
type Page struct {
	version   string
	started   time.Time
	health    *health.Registry
	providers []Provider
}

// New returns a page whose uptime counts from now.
func New(version string, registry *health.Registry, providers []Provider) *Page {
	return &Page{version: version, started: time.Now(), health: registry, providers: providers}
}

// Report is one reading of the page.
type Report struct {
	Version    string          `json:"version"`
	PID        int             `json:"pid"`
	UptimeS    int64           `json:"uptime_s"`
	Ready      bool            `json:"ready"`
	Components []health.Report `json:"components"`
	Sections   map[string]any  `json:"sections"`

	sections []Section
}

// Report reads every component.
func (p *Page) Report() Report {
	reports := p.health.Reports()
	report := Report{
		Version:    p.version,
		PID:        os.Getpid(),
		UptimeS:    int64(time.Since(p.started).Seconds()),
		Ready:      health.Ready(reports),
		Components: reports,
		Sections:   make(map[string]any, len(p.providers)),
	}
	for _, provider := range p.providers {
		section := provider.Status()
		report.sections = append(report.sections, section)
		report.Sections[section.Name] = section.Data
	}
	slices.SortFunc(report.sections, func(a, b Section) int { return strings.Compare(a.Name, b.Name) })
	return report
}

// WriteText writes the report for a person: problems first.
func (r Report) WriteText(w io.Writer) error {
	var text strings.Builder
	fmt.Fprintf(&text, "vigil %s, pid %d, up %s\n", r.Version, r.PID, time.Duration(r.UptimeS)*time.Second)
	problems := health.Problems(r.Components)
	for _, problem := range problems {
		fmt.Fprintf(&text, "\n✗ %s is degraded: %s\n", problem.Name, problem.Reason)
		if problem.Fix != "" {
			fmt.Fprintf(&text, "  fix: %s\n", problem.Fix)
		}
	}
	if len(problems) == 0 && r.Ready {
		text.WriteString("\n✓ no problems\n")
	}
	states := make(map[string]health.State, len(r.Components))
	for _, component := range r.Components {
		states[component.Name] = component.State
	}
	for _, section := range r.sections {
		text.WriteString("\n" + section.Name)
		if state, ok := states[section.Name]; ok {
			text.WriteString(": " + string(state))
		}
		text.WriteString("\n")
		for _, line := range section.Text {
			text.WriteString("  " + line + "\n")
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// Off is the section of a component that is switched off.
func Off(name string) Section {
	return Section{
		Name: name,
		Data: struct {
			Enabled bool `json:"enabled"`
		}{},
		Text: []string{"switch it on with " + name + ".enabled: true"},
	}
}
