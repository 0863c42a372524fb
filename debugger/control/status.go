package control

import (
	"fmt"
	"strconv"
	"time"

	"github.com/vigil-agent/vigil/debugger/plan"
)

// State is how far a probe has come.
type State string

// States, as the diagnostics of the debugger specification (section 3.9) name
// them.
const (
	// StateReceived: the definition is valid and no process is there for it.
	StateReceived State = "RECEIVED"
	// StateInstalled: it is placed and was not hit yet.
	StateInstalled State = "INSTALLED"
	// StateEmitting: snapshots have come.
	StateEmitting State = "EMITTING"
	// StateError: it cannot be placed.
	StateError State = "ERROR"
)

// ProbeStatus is one probe in all its processes.
type ProbeStatus struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	// Function is what it is on, as it was written: the function, or "server.go:42".
	Function string `json:"function"`
	// Origin is where the definition was written.
	Origin string   `json:"origin,omitempty"`
	Tags   []string `json:"tags,omitempty"`
	State  State    `json:"state"`
	// Message says why it is in this state, Next what to do about it.
	Message string         `json:"message,omitempty"`
	Next    string         `json:"next,omitempty"`
	Targets []TargetStatus `json:"targets"`
	// TypesPending are dynamic types that snapshots have met and that the probe
	// will be placed again with; what it learned counts in Replans.
	TypesPending int `json:"types_pending"`
	Counters
}

// TargetStatus is one probe in one process.
type TargetStatus struct {
	PID     int    `json:"pid"`
	Exe     string `json:"exe"`
	Service string `json:"service"`
	State   State  `json:"state"`
	// Message is the error of StateError.
	Message string `json:"message,omitempty"`
	// Function is the resolved name.
	Function  string       `json:"function,omitempty"`
	Sites     []SiteStatus `json:"sites,omitempty"`
	Snapshots uint64       `json:"snapshots"`
	// Notes say what cannot be captured here, and why.
	Notes []string `json:"notes,omitempty"`
}

// SiteStatus is one probed instruction.
type SiteStatus struct {
	// Kind is "entry", "return", "line", or "tail" for a jump to another function,
	// which returns in place of the probed one.
	Kind string `json:"kind"`
	// PC is its link-time address in hexadecimal.
	PC string `json:"pc"`
	// Anchor is what the trap costs: "push" and "emulated" are one trap,
	// "stepped" is two, some twenty times slower in a virtual machine. CostNS is
	// what one hit costs the process, in nanoseconds, before anything is captured;
	// CostMeasured says that this is so on this machine, not in general.
	Anchor       string `json:"anchor"`
	CostNS       int64  `json:"cost_ns"`
	CostMeasured bool   `json:"cost_measured"`
}

// Cost says what a hit costs, for people: "push, 673ns a hit, measured", or "nominal"
// when it is not of this machine.
func (s SiteStatus) Cost() string {
	from := "nominal"
	if s.CostMeasured {
		from = "measured"
	}
	return fmt.Sprintf("%s, %s a hit, %s", s.Anchor, time.Duration(s.CostNS), from)
}

// Sites are the probed instructions.
func (i *Installed) Sites() []SiteStatus { return sites(i.Plans(), i.costs) }

func sites(plans []*plan.Plan, costs plan.Costs) []SiteStatus {
	var out []SiteStatus
	for _, p := range plans {
		for _, s := range p.Sites {
			out = append(out, SiteStatus{
				Kind: s.Kind.String(), PC: "0x" + strconv.FormatUint(s.PC, 16),
				Anchor: s.Anchor.String(), CostNS: costs.Of(s.Anchor).Nanoseconds(), CostMeasured: costs.Nominal == "",
			})
		}
	}
	return out
}

// summarize sets the state of a probe from its targets. What it said before,
// with other targets, is forgotten.
func (p *ProbeStatus) summarize() {
	p.State, p.Message, p.Next = StateReceived, "", ""
	failed := 0
	for _, t := range p.Targets {
		if t.State == StateError {
			failed++
		}
		if rank(t.State) > rank(p.State) {
			p.State, p.Message = t.State, t.Message
		}
	}
	switch p.State {
	case StateReceived:
		p.Message, p.Next = "no process to place it in", "start the service, or correct debugger.targets"
	case StateInstalled:
		p.Next = "wait until the function is called"
	case StateError:
		p.Next = "correct the definition, or rebuild the program as the message says"
	}
	if failed > 0 && p.State != StateError {
		p.Message = "not placed in " + strconv.Itoa(failed) + " of " + strconv.Itoa(len(p.Targets)) + " processes"
	}
}

// rank orders states: one process that works counts more than one that does
// not, and an error more than no process.
func rank(s State) int {
	switch s {
	case StateError:
		return 1
	case StateInstalled:
		return 2
	case StateEmitting:
		return 3
	}
	return 0
}
