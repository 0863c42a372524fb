package simulate

import (
	"fmt"
	"slices"
	"time"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// rule is one line of the verdict. The table of all rules is the contract the
// simulator holds an image to.
type rule struct {
	// id is stable: CI configurations name it.
	id string
	// text says what is right, and row where the specification says it.
	text, row string
	// fix is the next step for somebody whose image breaks the rule.
	fix string
	// agent limits the rule to images that send heartbeats.
	agent bool
	judge func(*view, *finding)
}

// finding is what a rule has to say about one trace.
type finding struct {
	checked int      // observations the rule applied to
	facts   []string // those that break it
}

// check counts an observation, and records the fact when it breaks the rule.
func (f *finding) check(right bool, format string, args ...any) {
	f.checked++
	if !right {
		f.facts = append(f.facts, fmt.Sprintf(format, args...))
	}
}

// rules is the whole table: the platform's contract, the rows about duplicate,
// out-of-order and missing hooks, and the metering.
func rules() []rule { return slices.Concat(contractRules(), sequenceRules(), meteringRules()) }

// spoken is an answer as a person reads it.
func spoken(c *Call) string {
	took := "after " + round(c.Took)
	switch {
	case c.Status != 0:
		return fmt.Sprintf("%s was answered with %d %s", c.Step, c.Status, took)
	default:
		return fmt.Sprintf("%s got no answer %s: %s", c.Step, took, c.Err)
	}
}

// answered checks that a call was done within its limit.
func (f *finding) answered(c *Call) {
	switch {
	case c.Expect.Status != 0: // the scenario asks for something else, see ruleExpectations
		f.check(c.Status != 0, "%s", spoken(c))
	default:
		f.check(c.OK(), "%s", spoken(c))
	}
}

// round shortens a duration to what is worth reading.
func round(d time.Duration) string {
	if d < time.Second {
		return d.Round(100 * time.Microsecond).String()
	}
	return d.Round(10 * time.Millisecond).String()
}

// follows checks that a heartbeat with one of the ids arrives within the window
// after the call, unless the machine was gone before.
func (v *view) follows(f *finding, i int, what string) {
	c := v.calls[i]
	id := v.idAfter(i)
	from := c.Sent
	until := c.Answered() + v.policy.window
	until += v.frozen(c.Machine, from, until)
	for _, beat := range v.beatsIn(c.Machine, from, until) {
		if id == "" || beat.Tag(tagID) == id {
			f.check(true, "")
			return
		}
	}
	if v.gone(c.Machine) < until {
		return // nothing can be said
	}
	f.check(false, "%s: no heartbeat%s arrived within %s %s", c.Step, named(id), round(v.policy.window), what)
}

func named(id string) string {
	if id == "" {
		return ""
	}
	return " of " + id
}

// idAfter is the id the machine has after call i.
func (v *view) idAfter(i int) string {
	id := ""
	for _, c := range v.calls[:i+1] {
		if c.Machine == v.calls[i].Machine && c.Kind <= Malformed && c.Hook == lifecycle.Run && c.ID != "" {
			id = c.ID
		}
	}
	return id
}

// silent checks that no heartbeat arrived in [from, to).
func (v *view) silent(f *finding, machine int, from, to time.Duration, why string) {
	if to <= from {
		return
	}
	beats := v.beatsIn(machine, from, to)
	if len(beats) == 0 {
		f.check(true, "")
		return
	}
	f.check(false, "%s: %d heartbeats arrived, the first %s later with %s:%s", why, len(beats), round(beats[0].At-from), tagID, beats[0].Tag(tagID))
}
