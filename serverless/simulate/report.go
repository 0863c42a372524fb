package simulate

import (
	"fmt"
	"slices"
	"strings"
)

// State is the verdict on one rule.
type State string

// The verdicts.
const (
	Kept     State = "kept"
	Violated State = "violated"
	// NotJudged is a rule that no observation was about, or one about heartbeats
	// for an image that sends none.
	NotJudged State = "not judged"
)

// Verdict is what the simulation says about one rule.
type Verdict struct {
	Rule  string `json:"rule"`
	Row   string `json:"row"` // section of the lifecycle specification
	Text  string `json:"text"`
	State State  `json:"state"`
	// Checked is how many observations the rule was applied to.
	Checked int    `json:"checked"`
	Facts   []Fact `json:"facts,omitempty"`
	// Fix is the next step, for a violated rule.
	Fix string `json:"fix,omitempty"`
}

// Fact is one observation that breaks a rule.
type Fact struct {
	Scenario string `json:"scenario"`
	Text     string `json:"text"`
}

// Played is what became of one scenario.
type Played struct {
	Scenario string  `json:"scenario"`
	Seconds  float64 `json:"seconds"`
	// Cut says why it was not played to its end; empty when it was.
	Cut string `json:"cut,omitempty"`
}

// Report is the outcome of a simulation.
type Report struct {
	Command []string `json:"command"`
	// Heartbeats reports that the image sends them.
	Heartbeats bool      `json:"heartbeats"`
	Verdicts   []Verdict `json:"verdicts"`
	Played     []Played  `json:"played"`
	// Unplayed are the scenarios left out because the image never became ready.
	Unplayed []string `json:"unplayed,omitempty"`
	Seconds  float64  `json:"seconds"`
}

// Count is how many rules have that verdict.
func (r *Report) Count(s State) int {
	n := 0
	for _, v := range r.Verdicts {
		if v.State == s {
			n++
		}
	}
	return n
}

// OK reports that no rule is violated and every scenario was played to its end.
func (r *Report) OK() bool {
	return r.Count(Violated) == 0 && len(r.Unplayed) == 0 &&
		!slices.ContainsFunc(r.Played, func(p Played) bool { return p.Cut != "" })
}

// judge applies every rule to every trace. What one trace shows of the image,
// that it sends heartbeats, holds for all.
func judge(traces []*Trace, p policy) *Report {
	r := &Report{Verdicts: []Verdict{}, Played: []Played{}}
	for _, t := range traces {
		for i := range t.Samples {
			name := t.Samples[i].Name
			r.Heartbeats = r.Heartbeats || name == heartbeatMetric
			p.events = p.events || isEvent(name)
		}
		r.Played = append(r.Played, Played{Scenario: t.Scenario, Seconds: t.End.Seconds(), Cut: t.Cut})
	}
	p.metered = p.metered || r.Heartbeats
	views := make([]*view, len(traces))
	for i, t := range traces {
		views[i] = newView(t, p)
	}
	for _, rule := range rules() {
		r.Verdicts = append(r.Verdicts, rule.over(views, p))
	}
	return r
}

func isEvent(name string) bool {
	hook, ok := strings.CutPrefix(name, eventPrefix)
	return ok && slices.Contains(hookNames, hook)
}

// over applies the rule to all traces.
func (r *rule) over(views []*view, p policy) Verdict {
	verdict := Verdict{Rule: r.id, Row: r.row, Text: r.text, State: NotJudged}
	if r.agent && !p.metered {
		return verdict
	}
	for _, v := range views {
		var f finding
		r.judge(v, &f)
		verdict.Checked += f.checked
		for _, text := range f.facts {
			verdict.Facts = append(verdict.Facts, Fact{Scenario: v.Scenario, Text: text})
		}
	}
	switch {
	case len(verdict.Facts) > 0:
		verdict.State, verdict.Fix = Violated, r.fix
	case verdict.Checked > 0:
		verdict.State = Kept
	}
	return verdict
}

// maxFacts is how many facts of one rule a person gets to read; JSON has all.
const maxFacts = 5

// Text is the report for a person: a line per rule, facts and next step below
// those that are violated.
func (r *Report) Text() string {
	var b strings.Builder
	for _, v := range r.Verdicts {
		mark := map[State]string{Kept: "✓", Violated: "✗", NotJudged: "–"}[v.State]
		fmt.Fprintf(&b, "%s %-22s %s\n", mark, v.Rule, v.Text)
		for i, fact := range v.Facts {
			if i == maxFacts {
				fmt.Fprintf(&b, "    … and %d more\n", len(v.Facts)-maxFacts)
				break
			}
			fmt.Fprintf(&b, "    %s, %s\n", fact.Scenario, fact.Text)
		}
		if v.Fix != "" {
			fmt.Fprintf(&b, "    fix: %s\n", v.Fix)
		}
	}
	for _, p := range r.Played {
		if p.Cut != "" {
			fmt.Fprintf(&b, "! scenario %s was cut short: %s\n", p.Scenario, p.Cut)
		}
	}
	if len(r.Unplayed) > 0 {
		fmt.Fprintf(&b, "! not played: %s\n", strings.Join(r.Unplayed, ", "))
	}
	if !r.Heartbeats {
		b.WriteString("No heartbeat was seen: rules about heartbeats are not judged, or violated with --expect-heartbeat.\n")
	}
	fmt.Fprintf(&b, "%d kept, %d violated, %d not judged in %d scenarios, %.1f s\n",
		r.Count(Kept), r.Count(Violated), r.Count(NotJudged), len(r.Played), r.Seconds)
	return b.String()
}
