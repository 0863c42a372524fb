package snapshot

import "github.com/vigil-agent/vigil/debugger/event"

// reason is the value of notCapturedReason (debugger specification, section
// 1.2); the empty one means that nothing is missing.
type reason string

const (
	captured              reason = ""
	reasonDepth           reason = "depth"
	reasonCollectionSize  reason = "collectionSize"
	reasonFieldCount      reason = "fieldCount"
	reasonPruned          reason = "pruned"
	reasonUnavailable     reason = "unavailable"
	reasonCircular        reason = "circular reference"
	reasonNoType          reason = "missing type information"
	reasonRedactedIdent   reason = "redactedIdent"
	reasonRedactedType    reason = "redactedType"
	reasonNestingTooDeep  reason = "captureNestingTooDeep"
	reasonValueTooLarge   reason = "valueTooLarge"
	reasonStringTruncated reason = "length"
	reasonPointers        reason = "tooManyPointersInFlight"
)

// kernelReason is the word for what the kernel program says about an item.
func kernelReason(r event.Reason) reason {
	switch r {
	case event.ReasonNone:
		return captured
	case event.ReasonLength:
		return reasonStringTruncated
	case event.ReasonCollection:
		return reasonCollectionSize
	case event.ReasonTooLarge:
		return reasonValueTooLarge
	case event.ReasonPointers:
		return reasonPointers
	}
	return reasonUnavailable
}

// or is r, or other when r says nothing.
func (r reason) or(other reason) reason {
	if r == captured {
		return other
	}
	return r
}
