package rows

import (
	"fmt"
	"time"
)

// Options bounds an encoder. The zero value of a field means its default.
type Options struct {
	// MaxPatterns is the number of patterns the receiver holds for this encoder.
	MaxPatterns int
	// MaxPatternBytes bounds the receiver's state bytes of all patterns.
	MaxPatternBytes int
	// MaxDictEntries is the number of strings in the dictionary.
	MaxDictEntries int
	// MaxDictBytes bounds the receiver's state bytes of the dictionary.
	MaxDictBytes int
	// MaxMemoryBytes bounds the encoder's own memory of patterns, those included
	// that the receiver does not know yet.
	MaxMemoryBytes int
	// MaxIdle is how long a pattern or a string may go unused, by the time of the
	// records, before the receiver is told to forget it.
	MaxIdle time.Duration
	// CheckEvery is how many payloads there are to one that is decoded and compared
	// before it leaves (the self-check); below 0 none is.
	CheckEvery int
	// MaxDataBytes bounds Payload.Data and a snapshot, compressed.
	MaxDataBytes int
	// MaxEncodedBytes bounds a payload before compression: what a receiver has
	// to hold to decode it.
	MaxEncodedBytes int
	// Compression is how Payload.Data is compressed.
	Compression Compression
}

// Defaults of Options. The number of patterns is the reference client's (logs
// specification, section 3); the data bound keeps a batch below gRPC's default
// receive limit of 4 MiB (section 1.8, Q12). The two budgets of state bytes must
// together stay below the data bound, so that a snapshot always fits in one batch;
// with a smaller data bound their defaults shrink. An entry is forgotten after the
// 15 minutes that a stream lasts (section 2.2): from then on each snapshot would tell
// it again, which costs what telling it anew costs.
const (
	DefaultMaxPatterns     = 700
	DefaultMaxPatternBytes = 3 << 19
	DefaultMaxDictEntries  = 4096
	DefaultMaxDictBytes    = 1 << 20
	DefaultMaxMemoryBytes  = 8 << 20
	DefaultMaxIdle         = 15 * time.Minute
	DefaultCheckEvery      = 64
	DefaultMaxDataBytes    = 7 << 19
	DefaultMaxEncodedBytes = 12 << 20
)

// withDefaults fills zero fields and refuses what cannot work.
func (o Options) withDefaults() (Options, error) {
	if o.Compression > Identity {
		return o, fmt.Errorf("rows options: compression %d: use Zstd, Gzip or Identity", o.Compression)
	}
	var err error
	fill := func(name string, v *int, def int) {
		if *v < 0 && err == nil {
			err = fmt.Errorf("rows options: %s is %d: use a positive number, or 0 for the default of %d", name, *v, def)
		}
		if *v == 0 {
			*v = def
		}
	}
	fill("MaxDataBytes", &o.MaxDataBytes, DefaultMaxDataBytes)
	fill("MaxEncodedBytes", &o.MaxEncodedBytes, DefaultMaxEncodedBytes)
	fill("MaxMemoryBytes", &o.MaxMemoryBytes, DefaultMaxMemoryBytes)
	fill("MaxPatterns", &o.MaxPatterns, DefaultMaxPatterns)
	fill("MaxDictEntries", &o.MaxDictEntries, DefaultMaxDictEntries)
	if o.MaxIdle == 0 {
		o.MaxIdle = DefaultMaxIdle
	}
	if o.CheckEvery == 0 {
		o.CheckEvery = DefaultCheckEvery
	}
	// State bytes cover the framing of a define; what is left is for data that does
	// not compress.
	budget := o.MaxDataBytes - o.MaxDataBytes/16
	fill("MaxPatternBytes", &o.MaxPatternBytes, min(DefaultMaxPatternBytes, budget*3/5))
	fill("MaxDictBytes", &o.MaxDictBytes, min(DefaultMaxDictBytes, budget*2/5))
	if err == nil && o.MaxPatternBytes+o.MaxDictBytes > budget {
		err = fmt.Errorf("rows options: MaxPatternBytes and MaxDictBytes are %d together: use at most %d, or a snapshot does not fit in MaxDataBytes (%d)",
			o.MaxPatternBytes+o.MaxDictBytes, budget, o.MaxDataBytes)
	}
	return o, err
}

// Compression is how the bytes of a batch are compressed.
type Compression uint8

// The compressions of the protocol's dd-content-encoding header.
const (
	Zstd Compression = iota
	Gzip
	Identity
)

// Encoding is the value of the dd-content-encoding header.
func (c Compression) Encoding() string {
	switch c {
	case Zstd:
		return "zstd"
	case Gzip:
		return "gzip"
	default:
		return "identity"
	}
}
