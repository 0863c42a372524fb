package stream

import (
	"context"

	"github.com/vigil-agent/vigil/logs/record"
)

// Fallback delivers batches without a stream: the lowest rung of the ladder of
// profiles.
type Fallback interface {
	// Send returns nil once the receiving side has recs. It keeps nothing of them,
	// tries once, and is not called concurrently. An error carries its class
	// (fault.Error); one without is transient. What was not delivered is sent
	// again with the same call or in parts.
	Send(ctx context.Context, recs []record.Record) error
}
