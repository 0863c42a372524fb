package columns

import (
	"errors"
	"fmt"
	"strings"
)

// Sentinels for what a caller decides on.
var (
	// ErrProtocol is in every *ProtocolError: the sender broke the format.
	ErrProtocol = errors.New("protocol error")
	// ErrLimit is in every *LimitError: a bound of Limits was reached.
	ErrLimit = errors.New("limit exceeded")
)

// ProtocolError says which part of which batch broke the format.
type ProtocolError struct {
	// Batch is the number of the batch in its stream, from 1.
	Batch int
	// Line is the index of the line in the batch, -1 if it is not about one.
	Line int
	// Template is the number of the template concerned, 0 if there is none.
	Template int
	// Column is the index of the slot in the template, -1 if it is not about one.
	Column int
	// What broke, in words.
	What string
}

// Error implements error.
func (e *ProtocolError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "batch %d", e.Batch)
	if e.Line >= 0 {
		fmt.Fprintf(&b, ", line %d", e.Line)
	}
	if e.Template > 0 {
		fmt.Fprintf(&b, ", template %d", e.Template)
	}
	if e.Column >= 0 {
		fmt.Fprintf(&b, ", column %d", e.Column)
	}
	b.WriteString(": ")
	b.WriteString(e.What)
	return b.String()
}

// Is makes errors.Is(err, ErrProtocol) true.
func (e *ProtocolError) Is(target error) bool { return target == ErrProtocol }

// LimitError says which bound of Limits a batch would have passed. Nothing about
// the batch is wrong otherwise: the sender should use less state or smaller batches.
type LimitError struct {
	// Batch is the number of the batch in its stream, from 1.
	Batch int
	// Limit is the name of the field of Limits.
	Limit string
	// Max is its value.
	Max int
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("batch %d: more than %s allows (%d)", e.Batch, e.Limit, e.Max)
}

// Is makes errors.Is(err, ErrLimit) true.
func (e *LimitError) Is(target error) bool { return target == ErrLimit }

// TooLargeError is Encode's refusal of a batch that does not fit.
type TooLargeError struct {
	// What is too large: its Size and the Max allowed, in bytes or records.
	What      string
	Size, Max int
}

// Error implements error.
func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s of %d, at most %d: split the batch", e.What, e.Size, e.Max)
}

// place is where coding is, for errors.
type place struct {
	line, template, slot int
}

// whyBad is the reason of the first violation.
func (s *state) whyBad() string {
	if s.why == "" {
		return "the data is not what an encoder writes"
	}
	return s.why
}

// fail notes the first violation.
func (s *state) fail(why string) {
	if !s.bad {
		s.bad, s.why = true, why
	}
}

func (d *Decoder) wrong(at place, what string) error {
	return &ProtocolError{Batch: d.batches, Line: at.line, Template: at.template, Column: at.slot, What: what}
}

func (d *Decoder) limit(name string, limit int) error {
	return &LimitError{Batch: d.batches, Limit: name, Max: limit}
}
