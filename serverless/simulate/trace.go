package simulate

import (
	"strings"
	"time"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// Trace is everything that was observed while one scenario was played. Times
// count from its beginning.
type Trace struct {
	Scenario string
	Calls    []Call // in the order they were sent
	Samples  []Sample
	Freezes  []Freeze
	Exits    []Exit
	Listens  []Listen
	// End is when the last machine was put away.
	End time.Duration
	// Cut says why the scenario was not played to its end; empty when it was.
	Cut string
}

// Kind is what sort of request a call was.
type Kind uint8

// The kinds.
const (
	// Proper is a hook as the platform sends it: POST, the exact path.
	Proper Kind = iota
	// Malformed is a run whose body the platform would not send.
	Malformed
	// Oversize is a run whose body is above the cap of 1 MiB.
	Oversize
	// WrongMethod is a hook's path with another method than POST.
	WrongMethod
	// WrongPath is a path that is no hook.
	WrongPath
)

// Call is one request and its answer.
type Call struct {
	// Step names the step that sent it.
	Step string
	// Machine counts the machines of the scenario from 0; a clone is the next.
	Machine int
	Kind    Kind
	// Hook is meaningless for WrongPath.
	Hook         lifecycle.Hook
	Method, Path string
	// ID is the instance id in the body of a run, empty when it has none.
	ID string
	// Together marks a call that overlapped with another one on purpose.
	Together bool
	// Sent and Took are when it was sent and how long its answer needed; Limit is
	// the platform's timeout, after which it was given up.
	Sent, Took, Limit time.Duration
	// Status is 0 when no answer came; Err says why.
	Status int
	Err    string
	// Tries is how often a build hook was called until this answer.
	Tries  int
	Expect Expectation
}

// Answered is when the answer was complete, or the call given up.
func (c *Call) Answered() time.Duration { return c.Sent + c.Took }

// OK reports the one answer that means "done": 200 in time.
func (c *Call) OK() bool { return c.Status == 200 }

// Sample is one metric value that arrived.
type Sample struct {
	Machine int
	At      time.Duration // when it arrived
	Name    string
	Type    string // the DogStatsD type: g, d, c, h, ms, s
	Value   float64
	Tags    []string
}

// Tag is the value of the first tag with that key.
func (s *Sample) Tag(key string) string {
	for _, tag := range s.Tags {
		if name, value, _ := strings.Cut(tag, ":"); name == key {
			return value
		}
	}
	return ""
}

// Freeze is a time in which no process of a machine executed.
type Freeze struct {
	Machine  int
	From, To time.Duration
}

// Cause is why a machine's entrypoint ended.
type Cause uint8

// The causes.
const (
	// Itself is an end that nobody asked for.
	Itself Cause = iota
	// Stopped is SIGTERM, sent by a stop step.
	Stopped
	// Killed is the simulator putting the machine away.
	Killed
)

// Exit is the end of a machine.
type Exit struct {
	Machine int
	At      time.Duration
	Cause   Cause
	// Code is the exit code, 128 plus the signal number for a signal.
	Code int
	// Took is how long the entrypoint needed after SIGTERM, and Late that it did
	// not end in time and was killed.
	Took time.Duration
	Late bool
	// Left are the processes that outlived the entrypoint after SIGTERM.
	Left []string
}

// Listen is the set of addresses on which a machine's hook port is open.
type Listen struct {
	Machine   int
	Addresses []string
	// Outside reports that one of them can be reached from another host.
	Outside bool
}
