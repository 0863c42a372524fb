// Package intake is the receiving side of the stateful logs protocol: it checks
// every batch, makes its lines durable and only then acknowledges it. It runs
// embedded in the agent or alone.
//
//	stream --> check id --> decode --> sink (journal, group commit) --> acknowledge
//
// Each stream has its own state, which ends with the stream. Batches of one
// stream are acknowledged in order; decoding one overlaps with the sync of those
// before it. Anything that breaks the protocol ends the stream with a status that
// names the batch, after what came before it is durable and acknowledged:
//
//	UNAUTHENTICATED     wrong or missing dd-api-key, before anything is read
//	UNIMPLEMENTED       a dd-content-encoding or vigil-profile that is not known
//	ABORTED             a gap in the numbers of a session, or a newer stream of it
//	INVALID_ARGUMENT    batch ids with a gap, undefined ids, unreadable data or headers
//	RESOURCE_EXHAUSTED  the stream's state or a batch exceeds its bounds
//	UNAVAILABLE         the sink failed, too many streams are open, or the server stops
package intake
