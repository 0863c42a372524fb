package hooks

import "io"

// OutputTaker wants a copy of what the supervised application prints.
type OutputTaker interface {
	// TakeOutput returns where to write what comes on the two standard streams,
	// nil for what is not wanted. Write gets pieces as they come, not lines. It
	// must not wait, for it holds up the application; the bound of what it keeps
	// is its own. What was written to it before a suspend or terminate must leave
	// with the taker's next Flush.
	TakeOutput() (stdout, stderr io.Writer)
}
