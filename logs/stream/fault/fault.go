package fault

import (
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Error is an error whose class is known where it happened.
type Error struct {
	Class Class
	// RetryAfter is the wait the receiving side asked for, 0 without a wish.
	RetryAfter time.Duration
	Err        error
}

// Error implements error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap gives access to the cause.
func (e *Error) Unwrap() error { return e.Err }

// New gives err a class.
func New(c Class, err error) error { return &Error{Class: c, Err: err} }

// Of sorts the error that a stream or a request ended with; nil and io.EOF are a
// close in order.
func Of(err error) Class {
	var known *Error
	switch {
	case err == nil, errors.Is(err, io.EOF):
		return Planned
	case errors.As(err, &known):
		return known.Class
	}
	st, _ := status.FromError(err)
	if sizeText(st) != nil {
		return Size
	}
	for _, r := range Table {
		if slices.Contains(r.Codes, st.Code()) {
			return r.Class
		}
	}
	return Transient
}

// sizeTexts are what implementations of gRPC put into the status of a message above
// the receive limit, and the limit in it: no code of its own tells it from a server
// that is short of room, or from data that cannot be read.
var sizeTexts = []struct {
	code codes.Code
	text *regexp.Regexp
}{
	// Go, C++ and what is made of it, JavaScript.
	{codes.ResourceExhausted, regexp.MustCompile(`larger than max(?: \(\d+ vs\.? (\d+)\))?`)},
	// Java.
	{codes.ResourceExhausted, regexp.MustCompile(`gRPC message exceeds maximum size(?: (\d+))?`)},
	// .NET, which does not tell the limit.
	{codes.ResourceExhausted, regexp.MustCompile(`message exceeds the maximum configured message size(?: (\d+))?`)},
	// Rust.
	{codes.OutOfRange, regexp.MustCompile(`message length too large(?:: found \d+ bytes, the limit is: (\d+))?`)},
}

// sizeText is the part of a status that speaks of the receive limit, and the limit;
// nil when there is none.
func sizeText(st *status.Status) []string {
	for _, s := range sizeTexts {
		if m := s.text.FindStringSubmatch(st.Message()); m != nil && st.Code() == s.code {
			return m
		}
	}
	return nil
}

// SizeLimit is the largest message that the receiving side takes, in bytes, as far
// as the error of class Size says so; 0 when it does not.
func SizeLimit(err error) int {
	st, _ := status.FromError(err)
	m := sizeText(st)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	return n
}

// TooManyPings says that the receiving side ended the connection because it was
// probed more often than it allows. gRPC reports the reason in text only.
func TooManyPings(err error) bool {
	return err != nil && strings.Contains(err.Error(), "too_many_pings")
}

// RetryAfter is the wait the receiving side asked for, 0 without a wish.
func RetryAfter(err error) time.Duration {
	var known *Error
	if errors.As(err, &known) && known.RetryAfter > 0 {
		return known.RetryAfter
	}
	st, ok := status.FromError(err)
	if !ok {
		return 0
	}
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return max(0, info.GetRetryDelay().AsDuration())
		}
	}
	return 0
}

// Text is err for a person, without gRPC's own wrapping.
func Text(err error) string {
	if err == nil || errors.Is(err, io.EOF) {
		return "closed by the receiving side"
	}
	if st, ok := status.FromError(err); ok {
		return st.Code().String() + ": " + st.Message()
	}
	return err.Error()
}
