package rows

import (
	"errors"
	"fmt"
)

// Sentinels for what a caller decides on.
var (
	// ErrProtocol is in every *ProtocolError: the sender broke the protocol.
	ErrProtocol = errors.New("protocol error")
	// ErrLimit is in every *LimitError: a bound of Limits was reached.
	ErrLimit = errors.New("limit exceeded")
	// ErrUnknownEncoding means a dd-content-encoding that is not supported.
	ErrUnknownEncoding = errors.New("unknown content encoding: use identity, gzip or zstd")
)

// ProtocolError says which part of which batch broke the protocol.
type ProtocolError struct {
	// BatchID is the batch.
	BatchID uint32
	// Datum is the index of the datum in its batch, from 0; -1 when the batch as
	// a whole cannot be read.
	Datum int
	// ID is the pattern or dictionary id concerned; 0 when there is none.
	ID uint64
	// What broke, in words.
	What string
}

// Error implements error.
func (e *ProtocolError) Error() string {
	switch {
	case e.Datum < 0:
		return fmt.Sprintf("batch %d: %s", e.BatchID, e.What)
	case e.ID == 0:
		return fmt.Sprintf("batch %d, datum %d: %s", e.BatchID, e.Datum, e.What)
	default:
		return fmt.Sprintf("batch %d, datum %d: %s (id %d)", e.BatchID, e.Datum, e.What, e.ID)
	}
}

// Is makes errors.Is(err, ErrProtocol) true.
func (e *ProtocolError) Is(target error) bool { return target == ErrProtocol }

// LimitError says which bound of Limits a batch would have passed. Nothing about
// the batch is wrong otherwise: the sender should use less state or smaller batches.
type LimitError struct {
	// BatchID is the batch.
	BatchID uint32
	// Limit is the name of the field of Limits.
	Limit string
	// Max is its value.
	Max int
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("batch %d: more than %s allows (%d)", e.BatchID, e.Limit, e.Max)
}

// Is makes errors.Is(err, ErrLimit) true.
func (e *LimitError) Is(target error) bool { return target == ErrLimit }

// TooLargeError is Encode's refusal of a batch that does not fit. The encoder's
// state is what it was before the call.
type TooLargeError struct {
	// Index is the first record that cannot fit even in a batch of its own; -1
	// when the batch has none, so that splitting it helps.
	Index int
	// Size is the size reached and Max the bound, in bytes: compressed for
	// MaxDataBytes, uncompressed for MaxEncodedBytes.
	Size, Max int
}

// Error implements error.
func (e *TooLargeError) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("batch of %d bytes, at most %d are allowed: split it", e.Size, e.Max)
	}
	return fmt.Sprintf("record %d needs %d bytes, at most %d are allowed: leave it out", e.Index, e.Size, e.Max)
}
