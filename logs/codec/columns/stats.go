package columns

import "time"

// BatchStats is what one call of Encode has done.
type BatchStats struct {
	// Lines is the number of records, PlainLines of them sent as text.
	Lines, PlainLines int
	// RawBytes are the bytes of the messages. CodedBytes are the values, coded, and
	// TextBytes the text before it is compressed: together what the batch takes
	// without a general compressor. DataBytes is what Encode has appended.
	RawBytes, CodedBytes, TextBytes, DataBytes int
	// Templates told to the receiver, told again with more slots, and taken back.
	TemplatesAdded, TemplatesUpdated, TemplatesRemoved int
	// Tokenizer, Encoder and Compressor are the time each part has been busy.
	Tokenizer, Encoder, Compressor time.Duration
}

// Stats is what an encoder has done since it was made; the gauges say what is
// live now. Reset does not clear the counters.
type Stats struct {
	// Batches, and the sums of what BatchStats has.
	Batches, Lines, PlainLines                         uint64
	RawBytes, CodedBytes, TextBytes, DataBytes         uint64
	TemplatesAdded, TemplatesUpdated, TemplatesRemoved uint64
	Tokenizer, Encoder, Compressor                     time.Duration
	// Checked is the number of batches that the self-check decoded, CheckFailures of
	// those that did not give their records back and were sealed again as text. Checker
	// is the time that all of this has taken.
	Checked, CheckFailures uint64
	Checker                time.Duration
	// DictAdded and DictRemoved count the entries of the columns' dictionaries.
	DictAdded, DictRemoved uint64
	// Resets is how often the encoder has started afresh by itself: after an error,
	// or because the state was full. What Reset forgets counts as removed.
	Resets uint64

	// Templates and DictEntries are what the receiver holds now, StateBytes the size
	// of all it holds besides up to WindowBytes of text: the same number as
	// Decoder.StateBytes.
	Templates, DictEntries, StateBytes int
}

func (s *Stats) add(b *BatchStats) {
	s.Batches++
	s.Lines += uint64(b.Lines)
	s.PlainLines += uint64(b.PlainLines)
	s.RawBytes += uint64(b.RawBytes)
	s.CodedBytes += uint64(b.CodedBytes)
	s.TextBytes += uint64(b.TextBytes)
	s.DataBytes += uint64(b.DataBytes)
	s.addTemplates(b)
	s.Tokenizer += b.Tokenizer
	s.Encoder += b.Encoder
	s.Compressor += b.Compressor
}

func (s *Stats) addTemplates(b *BatchStats) {
	s.TemplatesAdded += uint64(b.TemplatesAdded)
	s.TemplatesUpdated += uint64(b.TemplatesUpdated)
	s.TemplatesRemoved += uint64(b.TemplatesRemoved)
}

// Stats is what the encoder has done so far.
func (e *Encoder) Stats() Stats {
	s, d := e.stats, e.state.dict
	if e.check != nil {
		c := e.check.Counts()
		s.Checked, s.CheckFailures = c.Checked, c.Failures
		s.Checker += c.Busy
	}
	s.DictAdded += d.added
	s.DictRemoved += d.removed
	s.Templates, s.DictEntries, s.StateBytes = e.state.live(), int(d.added-d.removed), e.state.bytes
	return s
}

// forget counts what a state that is given up has held.
func (s *Stats) forget(old *state) {
	s.TemplatesRemoved += uint64(old.live())
	s.DictAdded += old.dict.added
	s.DictRemoved += old.dict.added
}

// live is the number of templates.
func (s *state) live() int { return len(s.templates) - 1 - len(s.free) }
