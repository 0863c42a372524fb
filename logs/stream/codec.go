package stream

import "github.com/vigil-agent/vigil/logs/record"

// The profiles, from the best to the plainest; the values of the header
// vigil-profile (logs specification, section 14.1).
const (
	ProfileColumns = "columns"
	ProfileRows    = "rows"
	ProfileHTTP    = "http"
)

// Payload is one sealed batch, as it goes on the wire.
type Payload struct {
	// Data is the compressed data of the message. Nobody writes to it any more.
	Data []byte
	// Lines is the number of log lines, state changes excluded.
	Lines int
	// RawBytes are the bytes of the messages; EncodedBytes those of the encoded
	// batch before compression.
	RawBytes, EncodedBytes int
	// Changes is what the batch changes in the stream's state. Only the codec
	// that made it looks inside.
	Changes any
}

// Limits are what a receiving side was found to take.
type Limits struct {
	// DataBytes bounds the data of one message.
	DataBytes int
	// Halvings says how often the budget of state is to be halved.
	Halvings int
}

// Encoder seals batches. A batch is encoded against the state that all batches
// before it leave behind.
type Encoder interface {
	// Encode seals recs without keeping them. When it fails, fewer records may still
	// succeed, and the receiving side need not know about the call.
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

// Codec is one profile.
type Codec interface {
	// Profile is ProfileColumns or ProfileRows.
	Profile() string
	// ContentEncoding is the value of the header dd-content-encoding.
	ContentEncoding() string
	// NewState makes an encoder and a ledger that fit each other and hold no
	// state. A nil ledger says that the state lives as long as a stream: no
	// snapshot tells another stream about it, so what is not acknowledged is
	// encoded again there. With a ledger, sealed payloads are kept and replayed
	// byte for byte after the snapshot.
	NewState(limits Limits) (Encoder, Ledger, error)
}

// plain is the codec of ProfileHTTP: records travel as they are.
type plain struct{}

func (plain) Profile() string                          { return ProfileHTTP }
func (plain) ContentEncoding() string                  { return "" }
func (plain) NewState(Limits) (Encoder, Ledger, error) { return plain{}, nil, nil }
func (plain) Reset()                                   {}
func (plain) Encode(recs []record.Record) (Payload, error) {
	p := Payload{Lines: len(recs)}
	for i := range recs {
		p.RawBytes += len(recs[i].Message)
	}
	return p, nil
}
