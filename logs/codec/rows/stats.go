package rows

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

	// Patterns and DictEntries are what the receiver holds now, StateBytes the
	// exact size of it (see StateBytes of Decoder).
	Patterns, DictEntries, StateBytes int
}
