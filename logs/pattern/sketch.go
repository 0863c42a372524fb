package pattern

// Sketch scores how often things return, in fixed memory: one that does is soon
// noticed, those that never do push each other out. Errors only cost compression.
type Sketch struct {
	slots [sketchSlots]SketchSlot
}

const sketchSlots = 1 << 12

// A sighting scores one, the first of a batch eight: within a batch the compressor
// has a repeated string for little more than a reference, so that what counts is
// to return in other batches. Weights and bound are measured on the LogHub samples
// (logs specification, section 11.1) with batches of 20, 100 and 1000 lines.
const (
	scoreBatch = 8
	scoreAgain = 1
	// ScoreReturns is the score of what was seen in four batches.
	ScoreReturns = 4 * scoreBatch
)

// SketchSlot is one count of a Sketch.
type SketchSlot struct {
	tag   uint32
	batch uint16 // the batch counted last, its low bits
	score uint8
}

// See counts a thing by its hash and returns its score, with the index of the slot
// that it changed and what that held before, for Restore.
func (s *Sketch) See(hash, batch uint64) (score int, at uint32, before SketchSlot) {
	at = uint32(hash) % sketchSlots
	slot := &s.slots[at]
	before = *slot
	switch tag := uint32(hash >> 32); {
	case slot.tag == tag && slot.batch == uint16(batch) && slot.score > 0:
		slot.score = min(slot.score, ScoreReturns) + scoreAgain
	case slot.tag == tag && slot.score > 0:
		slot.batch = uint16(batch)
		slot.score = min(slot.score, ScoreReturns) + scoreBatch
	case slot.score > scoreBatch:
		// What is counted here has returned already; newcomers wear it down.
		slot.score--
		return 0, at, before
	default:
		*slot = SketchSlot{tag: tag, batch: uint16(batch), score: scoreBatch}
	}
	return int(slot.score), at, before
}

// Restore undoes a See; several are undone last first.
func (s *Sketch) Restore(at uint32, before SketchSlot) { s.slots[at] = before }
