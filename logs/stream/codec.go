package stream

import "github.com/vigil-agent/vigil/logs/record"

// Payload is one sealed batch, as it goes on the wire.
type Payload struct {
	// Data is the compressed datum sequence. It is kept until the batch is
	// acknowledged, because a replay sends the same bytes again.
	Data []byte
	// Lines is the number of log lines, state changes excluded.
	Lines int
	// RawBytes are the bytes of the messages; EncodedBytes those of the datum
	// sequence before compression.
	RawBytes, EncodedBytes int
	// Changes is what the batch changes in the stream's state. Only the codec
	// that made it looks inside.
	Changes any
}

// Encoder seals batches. A batch is encoded against the state that all batches
// before it leave behind.
type Encoder interface {
	// Encode seals recs without keeping them. When it fails, the encoder's state
	// is as if it had not been called, and fewer records may still succeed.
	Encode(recs []record.Record) (Payload, error)
	// Reset forgets all state, for a receiving side that starts from nothing.
	Reset()
}

// Ledger is the state that the receiving side holds: the fold of the changes of
// every acknowledged batch.
type Ledger interface {
	Apply(changes any)
	// Snapshot is the payload of batch 0, nil when there is no state.
	Snapshot() ([]byte, error)
	// Bytes is the size of the state.
	Bytes() int
}

// Codec makes encoders and ledgers that fit each other.
type Codec interface {
	// ContentEncoding is the value of the header dd-content-encoding.
	ContentEncoding() string
	// NewEncoder and NewLedger start without state.
	NewEncoder() (Encoder, error)
	NewLedger() Ledger
}
