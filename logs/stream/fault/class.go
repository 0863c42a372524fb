package fault

import "google.golang.org/grpc/codes"

// Class says why a stream or a request ended, and thereby what happens next (logs
// specification, section 2.5).
type Class string

// The classes.
const (
	// Planned is a close that is nobody's fault.
	Planned Class = "planned"
	// Transient is anything that another try may cure.
	Transient Class = "transient"
	// Size is a message above the receiving side's limit.
	Size Class = "size"
	// Throttle is a receiving side short of room.
	Throttle Class = "throttle"
	// Credentials is a refused API key.
	Credentials Class = "credentials"
	// Poison is data that the receiving side cannot read.
	Poison Class = "poison"
	// Capability is a receiving side without this protocol.
	Capability Class = "capability"
	// Protocol is an acknowledgement that breaks the protocol.
	Protocol Class = "protocol"
	// Stall is a receiving side that stopped acknowledging.
	Stall Class = "stall"
)

// Wait is how long to wait before the next try.
type Wait uint8

// The waits.
const (
	// Soon is a short random wait, not counted as a failure.
	Soon Wait = iota + 1
	// Backoff grows with each failure in a row until progress is sustained.
	Backoff
	// Slow is a fixed long interval: someone has to act first.
	Slow
)

// Cure is what has to change before the next try.
type Cure uint8

// The cures.
const (
	// None: the same data goes again.
	None Cure = iota + 1
	// Split: the size limit is lowered, the state starts over and what does not
	// fit is halved.
	Split
	// Shrink: the state starts over with half its budget, and one batch at a time
	// goes out until acknowledgements come.
	Shrink
	// Bisect: a blamed snapshot is given up; a blamed payload is halved until the
	// record that cannot be read stands alone and goes to quarantine.
	Bisect
	// StepDown: the next profile of the ladder is used, and the higher one is
	// asked for again later.
	StepDown
)

// Rule is one row of the table.
type Rule struct {
	Class Class
	// Codes are the gRPC statuses that belong to the class; the others are told
	// apart by Of.
	Codes []codes.Code
	Wait  Wait
	Cure  Cure
	// Sentence says what the engine does, for a person who reads the status.
	Sentence string
}

// Table has one rule for each class.
var Table = []Rule{
	{Planned, []codes.Code{codes.OK}, Soon, None, "the receiving side closed the stream in order; another is opened"},
	{Transient, nil, Backoff, None, "the receiving side cannot be reached or failed; what is not acknowledged is sent again"},
	{Size, nil, Backoff, Split, "a message was larger than the receiving side takes; batches are made smaller"},
	{Throttle, []codes.Code{codes.ResourceExhausted}, Backoff, Shrink, "the receiving side is short of room; less is sent at a time, with a smaller state"},
	{Credentials, []codes.Code{codes.Unauthenticated, codes.PermissionDenied}, Slow, None, "suspended: the receiving side refuses the API key; correct api_key, a new key is used at once"},
	{Poison, []codes.Code{codes.InvalidArgument, codes.OutOfRange, codes.DataLoss}, Backoff, Bisect, "the receiving side cannot read a batch; the line at fault is looked for and put into quarantine"},
	{Capability, []codes.Code{codes.FailedPrecondition, codes.Unimplemented}, Slow, StepDown, "the receiving side does not take this profile; a simpler one is used where there is one, check the endpoint's address and profile"},
	{Protocol, nil, Backoff, None, "the receiving side breaks the protocol; nothing it did not acknowledge in order is released"},
	{Stall, nil, Backoff, None, "the receiving side stopped acknowledging; what is not acknowledged is sent again on a new stream"},
}

// RuleOf is the rule of c. An unknown class is treated as Transient.
func RuleOf(c Class) Rule {
	for _, r := range Table {
		if r.Class == c {
			return r
		}
	}
	return RuleOf(Transient)
}
