package lifecycle

import (
	"context"
	"sync"

	"github.com/vigil-agent/vigil/serverless/microvm"
)

// Events is the part of a DogStatsD client the event metrics use, with the
// signature of datadog-go. A call may block.
type Events interface {
	Distribution(name string, value float64, tags []string, rate float64) error
}

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

// begin emits the event of h and returns what waits for the end of the call.
func (e events) begin(ctx context.Context, h Hook, id string) (wait func(context.Context) error) {
	if e.client == nil {
		return func(context.Context) error { return nil }
	}
	tags := make([]string, 0, len(e.tags)+1)
	tags = append(tags, e.tags...)
	if id != "" {
		tags = append(tags, microvm.TagLambdaID+":"+id)
	}
	return e.gate.begin(ctx, func(context.Context) error {
		return e.client.Distribution(EventPrefix+h.String(), 1, tags, 1)
	})
}
