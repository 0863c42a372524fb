package rows

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
	for _, f := range []struct {
		v   *int
		def int
	}{
		{&l.MaxDecompressed, d.MaxDecompressed},
		{&l.MaxStateBytes, d.MaxStateBytes},
		{&l.MaxPatterns, d.MaxPatterns},
		{&l.MaxDict, d.MaxDict},
		{&l.MaxLines, d.MaxLines},
		{&l.MaxRendered, d.MaxRendered},
	} {
		if *f.v <= 0 {
			*f.v = f.def
		}
	}
	return l
}
