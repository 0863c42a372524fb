package simulate

import (
	"fmt"
	"time"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// Bounds of a scenario. They keep a typing mistake from occupying a CI machine
// for a day.
const (
	// MaxSteps is how many steps one scenario may have.
	MaxSteps = 1000
	// MaxDuration bounds every duration in a scenario.
	MaxDuration = 10 * time.Minute
	// MaxBody bounds the body of a call, in bytes: four times what a hook server
	// has to accept.
	MaxBody = 4 << 20
	// maxTogether is how many hooks may be in progress side by side.
	maxTogether = 64
)

// Scenario is a sequence of what the platform does to one image.
type Scenario struct {
	// Name is the file's name, or that of a built-in scenario.
	Name string
	// Title says in one line what the scenario is about; it may be empty.
	Title string
	// Slow marks a scenario that waits for tens of seconds. It is played only on
	// request.
	Slow bool
	// Env is added to the entrypoint's environment, as NAME=VALUE.
	Env   []string
	Steps []Step
}

// Verb is what a step does.
type Verb uint8

// The verbs. The function verbs has their spelling.
const (
	// DoHook calls a hook once. Ready and validate are repeated on 503, as the
	// platform does, until the hook's timeout.
	DoHook Verb = iota
	// DoCall sends any method to any path, once.
	DoCall
	// DoTogether calls several hooks at the same time.
	DoTogether
	// DoFreeze stops every process of the machine for a while.
	DoFreeze
	// DoWait lets time pass.
	DoWait
	// DoAwait waits until a heartbeat arrives that is newer than the latest call,
	// at most the sample window.
	DoAwait
	// DoSettle waits for the sample window, so that late samples are seen.
	DoSettle
	// DoStop sends SIGTERM to the entrypoint and waits for its end.
	DoStop
	// DoKill ends the machine without a word, as the platform may.
	DoKill
	// DoClone ends the machine and starts another from the image, up to ready.
	DoClone
)

// Position is a place in a scenario file; both numbers begin at 1, columns count
// bytes.
type Position struct {
	Line, Column int
}

// Step is one line of a scenario.
type Step struct {
	At   Position
	Text string // the line as it was written
	Verb Verb
	// Hook is the hook of DoHook.
	Hook lifecycle.Hook
	// ID is the instance id of a run; HasBody replaces the body made from it.
	ID      string
	Body    []byte
	HasBody bool
	// Size pads the body of a run to this many bytes; 0 does not.
	Size int
	// Method and Path are those of DoCall. A path without a leading slash is
	// relative to the base path of the hooks.
	Method, Path string
	// Together are the hooks of DoTogether.
	Together []lifecycle.Hook
	// For is the duration of DoFreeze and DoWait.
	For    time.Duration
	Expect Expectation
}

// Expectation is what a scenario itself asks of a call. Zero fields ask nothing.
type Expectation struct {
	Status int
	Within time.Duration
}

// calls reports that the step ends in answers an expectation can be about.
func (s *Step) calls() bool { return s.Verb == DoHook || s.Verb == DoCall || s.Verb == DoTogether }

// String names the step in reports, as line and text.
func (s *Step) String() string { return fmt.Sprintf("line %d: %s", s.At.Line, s.Text) }
