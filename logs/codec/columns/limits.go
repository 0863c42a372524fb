package columns

import "cmp"

// Limits bounds what a decoder accepts from one stream. The zero value of a field
// means its default.
type Limits struct {
	// MaxDataBytes is the size of one batch.
	MaxDataBytes int
	// MaxTextBytes is the size of a batch's text, decompressed.
	MaxTextBytes int
	// MaxStateBytes is the budget that a stream may have, see Decoder.StateBytes.
	MaxStateBytes int
	// MaxLines is the number of lines in one batch.
	MaxLines int
	// MaxRendered is the sum of the message bytes that one batch expands to.
	MaxRendered int
}

// DefaultLimits accepts whatever an encoder with default Options produces.
func DefaultLimits() Limits {
	return Limits{
		MaxDataBytes:  4 << 20,
		MaxTextBytes:  32 << 20,
		MaxStateBytes: 32 << 20,
		MaxLines:      1 << 17,
		MaxRendered:   64 << 20,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	return Limits{
		MaxDataBytes:  cmp.Or(max(l.MaxDataBytes, 0), d.MaxDataBytes),
		MaxTextBytes:  cmp.Or(max(l.MaxTextBytes, 0), d.MaxTextBytes),
		MaxStateBytes: cmp.Or(max(l.MaxStateBytes, 0), d.MaxStateBytes),
		MaxLines:      cmp.Or(max(l.MaxLines, 0), d.MaxLines),
		MaxRendered:   cmp.Or(max(l.MaxRendered, 0), d.MaxRendered),
	}
}
