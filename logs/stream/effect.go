package stream

import (
	"time"

	"github.com/vigil-agent/vigil/logs/record"
)

// effectKind is what the driver is asked to do.
type effectKind uint8

const (
	// effOpen asks for a connection of generation gen: opened or ended follows.
	effOpen effectKind = iota + 1
	// effBegin starts the stream on it, whose session is to be saved first.
	effBegin
	// effSend queues batch id on the stream, as data or as records.
	effSend
	// effClose ends the stream: by half-closing after all sends when graceful,
	// by cancelling otherwise.
	effClose
	// effRelease says that origins are durable and all of Append seq with them.
	effRelease
	// effQuarantine asks for a place for a record that cannot be delivered: parked
	// must follow before it asks again.
	effQuarantine
	// effReset says that the stream's state was given up, err says why.
	effReset
)

type effect struct {
	kind effectKind
	gen  uint64

	// Of effOpen: the endpoint, whether its announcement is waited for, whether
	// it is reached through the fallback, and the probing of the connection.
	endpoint  int
	ask       bool
	fallback  bool
	keepalive time.Duration

	// Of effBegin, with endpoint.
	codec    Codec
	session  Session
	firstSeq uint64

	// Of effSend.
	id   uint32
	data []byte

	// Of effSend over the fallback, and of effQuarantine. They are valid until the
	// next event.
	recs []record.Record

	graceful bool
	seq      uint64
	origins  []record.Origin
	reason   Reason
	err      error
}

// Reason says why a record cannot be delivered.
type Reason string

// The reasons.
const (
	// ReasonPoison is a record that the receiving side cannot read.
	ReasonPoison Reason = "poison"
	// ReasonSize is a record that fits into no message.
	ReasonSize Reason = "size"
)
