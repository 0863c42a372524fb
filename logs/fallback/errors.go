package fallback

import "fmt"

// Error is why a request was not taken.
type Error struct {
	// Host is the endpoint's.
	Host string
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// Text is what the receiving side said, or what went wrong on the way.
	Text string
	// Delivered is how many records of the batch were taken by earlier requests.
	Delivered int
	// Err is the cause; may be nil.
	Err error
}

// Error implements error.
func (e *Error) Error() string {
	switch {
	case e.Status == 0:
		return fmt.Sprintf("send logs to %s: %s", e.Host, e.Text)
	case e.Text == "":
		return fmt.Sprintf("send logs to %s: status %d", e.Host, e.Status)
	default:
		return fmt.Sprintf("send logs to %s: status %d: %s", e.Host, e.Status, e.Text)
	}
}

// Unwrap gives access to the cause.
func (e *Error) Unwrap() error { return e.Err }
