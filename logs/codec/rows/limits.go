package rows

import "cmp"

// Limits bounds what a decoder accepts from one stream. The zero value of a field
// means its default.
type Limits struct {
	// MaxDecompressed is the size of one batch's DatumSequence, in bytes.
	MaxDecompressed int
	// MaxStateBytes is the size of the stream's state, see Decoder.StateBytes.
	MaxStateBytes int
	// MaxPatterns and MaxDict are the numbers of live entries.
	MaxPatterns, MaxDict int
	// MaxLines is the number of logs in one batch: a log of a few bytes takes some
	// hundreds in memory.
	MaxLines int
	// MaxRendered is the sum of the message bytes that one batch expands to.
	MaxRendered int
}

// DefaultLimits accepts whatever an encoder with default Options produces, and
// the reference client's 4 MiB of patterns and 4 MiB of dictionary.
func DefaultLimits() Limits {
	return Limits{
		MaxDecompressed: 16 << 20,
		MaxStateBytes:   16 << 20,
		MaxPatterns:     1 << 14,
		MaxDict:         1 << 18,
		MaxLines:        1 << 17,
		MaxRendered:     64 << 20,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	return Limits{
		MaxDecompressed: cmp.Or(max(l.MaxDecompressed, 0), d.MaxDecompressed),
		MaxStateBytes:   cmp.Or(max(l.MaxStateBytes, 0), d.MaxStateBytes),
		MaxPatterns:     cmp.Or(max(l.MaxPatterns, 0), d.MaxPatterns),
		MaxDict:         cmp.Or(max(l.MaxDict, 0), d.MaxDict),
		MaxLines:        cmp.Or(max(l.MaxLines, 0), d.MaxLines),
		MaxRendered:     cmp.Or(max(l.MaxRendered, 0), d.MaxRendered),
	}
}
