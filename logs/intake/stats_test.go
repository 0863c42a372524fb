package intake

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/vigil-agent/vigil/logs/intake/journal"
)

func TestStatsAsJSON(t *testing.T) {
	t.Parallel()
	var c counters
	c.reject(codes.InvalidArgument)
	c.reject(codes.InvalidArgument)
	text, err := json.Marshal(Stats{
		Streams: 1, OpenStreams: 2, Batches: 3, Snapshots: 4, Lines: 5, DataBytes: 6, StateBytes: 7,
		Rejected: c.rejected, Journal: journal.Stats{Lines: 8, Bytes: 9, Commits: 10, Failures: 11},
	})
	require.NoError(t, err)
	require.JSONEq(t, `{"streams":1,"open_streams":2,"batches":3,"snapshots":4,"lines":5,"data_bytes":6,"state_bytes":7,"sessions":0,"repeated":0,"fenced":0,
		"rejected":{"InvalidArgument":2},"journal":{"lines":8,"bytes":9,"commits":10,"failures":11}}`, string(text))
}
