package rows

import "time"

// Stats is what an encoder has done since it was made; the gauges say what is
// live now. Reset does not clear the counters.
type Stats struct {
	// RawBytes, EncodedBytes and CompressedBytes are message bytes, bytes of the
	// DatumSequence before compression, and bytes of Payload.Data.
	RawBytes, EncodedBytes, CompressedBytes uint64
	// Payloads is the number of sealed payloads.
	Payloads uint64
	// LinesStructured and LinesRaw are records sent as a pattern with values, and
	// as text.
	LinesStructured, LinesRaw uint64
	// InvalidUTF8 is the number of records with bytes that were replaced by
	// U+FFFD, because the schema's strings cannot carry them.
	InvalidUTF8 uint64
	// Patterns and dictionary entries told to the receiver, told again with a
	// wider template, and deleted.
	PatternsAdded, PatternsUpdated, PatternsRemoved uint64
	DictAdded, DictRemoved                          uint64

	// Checked is the number of payloads that the self-check decoded, CheckFailures
	// of those that did not give their records back and were sealed again as text.
	Checked, CheckFailures uint64
	// Busy is the time spent on what was sealed.
	Busy Busy

	// Patterns and DictEntries are what the receiver holds now, StateBytes the
	// exact size of it (see StateBytes of Decoder).
	Patterns, DictEntries, StateBytes int
	// Candidates is the number of patterns that are known here only, MemoryBytes the
	// memory of all patterns and strings.
	Candidates, MemoryBytes int
}

// Busy is the time that parts of an encoder have worked; over the time that passed
// each is a busy fraction. The self-check is in none of them.
type Busy struct {
	// Tokenize cuts lines and finds their patterns, Encode writes datums, Compress is
	// the compressor's.
	Tokenize, Encode, Compress time.Duration
}
