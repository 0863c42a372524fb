package journal

import (
	"cmp"
	"time"
)

// Sync says when lines are made to survive a power cut. They survive the end of the
// process in any case.
type Sync string

// Values of Sync.
const (
	// SyncBatch syncs before a batch is durable for its sender.
	SyncBatch Sync = "batch"
	// SyncInterval syncs within a second, which a power cut may take.
	SyncInterval Sync = "interval"
	// SyncOff leaves it to the kernel.
	SyncOff Sync = "off"
)

// syncEvery is the interval of SyncInterval.
const syncEvery = time.Second

// Options bound a journal. The zero value of a field means its default.
type Options struct {
	// Sync is SyncBatch by default.
	Sync Sync
	// SegmentBytes is the size at which the file is put aside under a number and
	// another one begins.
	SegmentBytes int64
	// MaxBytes bounds all files together: when one is put aside, the oldest ones are
	// removed. At least the one put aside last is kept. 0 keeps all.
	MaxBytes int64
	// MaxSessions is how many sessions are remembered; the least recently used ones
	// go first.
	MaxSessions int
}

// Defaults of Options.
const (
	DefaultSegmentBytes = 1 << 30
	DefaultMaxSessions  = 1 << 16
)

func (o Options) withDefaults() Options {
	o.Sync = cmp.Or(o.Sync, SyncBatch)
	o.SegmentBytes = cmp.Or(max(o.SegmentBytes, 0), DefaultSegmentBytes)
	o.MaxSessions = cmp.Or(max(o.MaxSessions, 0), DefaultMaxSessions)
	return o
}
