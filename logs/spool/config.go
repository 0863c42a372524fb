package spool

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Sync says when batches are made to survive a power cut. They survive the death
// of the process in any case.
type Sync string

// Values of Sync.
const (
	// SyncBatch syncs before Append returns.
	SyncBatch Sync = "batch"
	// SyncInterval syncs every Config.SyncEvery.
	SyncInterval Sync = "interval"
	// SyncOff leaves it to the kernel.
	SyncOff Sync = "off"
)

// Full says what happens when there is no room: MaxBytes is reached or the disk
// is full.
type Full string

// Values of Full.
const (
	// Block makes Append wait until acknowledgements make room.
	Block Full = "block"
	// DropOldest drops the oldest segment of which nothing was handed out yet; the
	// new batch when there is none.
	DropOldest Full = "oldest"
)

// Defaults of Config.
const (
	DefaultMaxBytes  = 1 << 30
	DefaultSyncEvery = time.Second
	// maxSegmentBytes bounds what one deletion frees and one drop loses.
	maxSegmentBytes = 8 << 20
	// minBytes is the least MaxBytes: two segments of some use.
	minBytes = 64 << 10
)

// Config says where a spool lives and how it behaves.
type Config struct {
	// Dir is the spool's own directory; it is created when missing.
	Dir string
	// MaxBytes bounds the segments on disk, 64 KiB or more; 0 means
	// DefaultMaxBytes.
	MaxBytes int64
	// Sync is when batches are synced; empty means SyncInterval.
	Sync Sync
	// SyncEvery is the period of SyncInterval; 0 means DefaultSyncEvery.
	SyncEvery time.Duration
	// Full is what happens without room; empty means Block.
	Full Full
}

// Deps is what a spool needs from its owner.
type Deps struct {
	// Log may be nil.
	Log *slog.Logger
}

// Errors that a caller decides on.
var (
	// ErrClosed is returned by calls on a closed spool, and to those that wait when
	// it is closed.
	ErrClosed = errors.New("spool is closed")
	// ErrDropped means that Append dropped its batch, for want of room and of an
	// older one to drop: it has no number.
	ErrDropped = errors.New("spool is full: batch dropped")
	// ErrTooLarge means that a batch would not even fit into an empty spool.
	ErrTooLarge = errors.New("batch is larger than the spool: raise its size or make batches smaller")
	// ErrNotRead means that an acknowledged number was not handed out.
	ErrNotRead = errors.New("batch was not handed out")
)

func (c Config) withDefaults() (Config, error) {
	if c.Dir == "" {
		return c, errors.New("spool: no directory given")
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = DefaultMaxBytes
	}
	if c.MaxBytes < minBytes {
		return c, fmt.Errorf("spool: at most %d bytes leave no room: use %d or more", c.MaxBytes, minBytes)
	}
	if c.SyncEvery <= 0 {
		c.SyncEvery = DefaultSyncEvery
	}
	switch c.Sync {
	case "":
		c.Sync = SyncInterval
	case SyncBatch, SyncInterval, SyncOff:
	default:
		return c, fmt.Errorf("spool: sync %q: use %s, %s or %s", c.Sync, SyncBatch, SyncInterval, SyncOff)
	}
	switch c.Full {
	case "":
		c.Full = Block
	case Block, DropOldest:
	default:
		return c, fmt.Errorf("spool: full %q: use %s or %s", c.Full, Block, DropOldest)
	}
	return c, nil
}

// segmentBytes is the size at which a segment is full: a quarter of a small
// spool, so that there is always one to delete.
func (c Config) segmentBytes() int64 { return min(maxSegmentBytes, c.MaxBytes/4) }
