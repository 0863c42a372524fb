package lifecycle

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vigil-agent/vigil/serverless/microvm"
)

// Events is the part of a DogStatsD client the event metrics use, with the
// signature of datadog-go. A call may block.
type Events interface {
	Distribution(name string, value float64, tags []string, rate float64) error
}

// Names of the metrics beside the events (specification section 8), both
// distributions.
const (
	// PhaseMetric goes with the event that ended a phase: its value is how long
	// that lasted in seconds, its tags say which phase it was and what ended it.
	PhaseMetric = EventPrefix + "phase_duration"
	// OddityMetric is 1 for each Oddity, whose name is its tag kind.
	OddityMetric = EventPrefix + "oddity"
)

// oddPatience bounds a call for an oddity, which nobody waits for.
const oddPatience = 5 * time.Second

// EventPrefix and the name of a hook make the name of its event metric
// (specification section 5.1). Ready has none.
const EventPrefix = "aws.lambda.enhanced.microvm."

type events struct {
	client Events
	tags   []string
	gate   gate
}

func newEvents(client Events, tags []string, calls *sync.WaitGroup) events {
	return events{client: client, tags: tags, gate: newGate(calls)}
}

// begin emits the event of h, and the phase that it ended if it did, and returns
// what waits for the end of the calls.
func (e events) begin(ctx context.Context, h Hook, id string, over Span) (wait func(context.Context) error) {
	if e.client == nil {
		return func(context.Context) error { return nil }
	}
	return e.gate.begin(ctx, func(context.Context) error {
		err := e.client.Distribution(EventPrefix+h.String(), 1, e.with(id), 1)
		// How long an image waited for its first run is nobody's running time.
		if over.Exit == ExitNone || over.Phase == Waiting {
			return err
		}
		tags := e.with(id, "phase:"+over.Phase.String(), "exit:"+over.Exit.String())
		return errors.Join(err, e.client.Distribution(PhaseMetric, over.Lasted.Seconds(), tags, 1))
	})
}

// odd emits an oddity and waits for nothing.
func (e events) odd(o Oddity, id string) {
	if e.client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), oddPatience)
	defer cancel() // the call keeps the deadline
	e.gate.begin(ctx, func(context.Context) error {
		return e.client.Distribution(OddityMetric, 1, e.with(id, "kind:"+o.String()), 1)
	})
}

// with is a fresh slice of the tags of a metric: the client may keep it.
func (e events) with(id string, own ...string) []string {
	tags := make([]string, 0, len(e.tags)+1+len(own))
	tags = append(tags, e.tags...)
	if id != "" {
		tags = append(tags, microvm.TagLambdaID+":"+id)
	}
	return append(tags, own...)
}
