package columns

import (
	"fmt"

	"github.com/vigil-agent/vigil/logs/record"
)

// Options bounds an encoder. The zero value of a field means its default.
type Options struct {
	// MaxPatterns is the number of templates that the receiver holds.
	MaxPatterns int
	// MaxStateBytes bounds Stats.StateBytes. The receiver's Limits must allow it.
	MaxStateBytes int
	// MaxDataBytes bounds a sealed batch.
	MaxDataBytes int
	// MaxRawBytes bounds the messages, tags and status of one batch.
	MaxRawBytes int
	// MaxLines bounds the records of one batch.
	MaxLines int
	// CheckEvery is how much is sealed for each part of it that is decoded and compared
	// before it leaves (the self-check): one batch in so many, fewer while batches are
	// small beside the state. Below 0 none is.
	CheckEvery int
}

// Defaults of Options. The data bound keeps a batch below gRPC's default receive
// limit of 4 MiB (logs specification, section 1.8, Q12).
const (
	DefaultMaxPatterns   = 4096
	DefaultMaxStateBytes = 16 << 20
	DefaultMaxDataBytes  = 7 << 19
	DefaultMaxRawBytes   = 16 << 20
	DefaultMaxLines      = 1 << 17
	DefaultCheckEvery    = 64
)

// minStateBytes is room for a few templates.
const minStateBytes = 64 << 10

// withDefaults fills zero fields and refuses what cannot work.
func (o Options) withDefaults() (Options, error) {
	var err error
	fill := func(name string, v *int, least, def int) {
		if *v == 0 {
			*v = def
		}
		if *v < least && err == nil {
			err = fmt.Errorf("columns options: %s is %d: use at least %d, or 0 for the default of %d", name, *v, least, def)
		}
	}
	fill("MaxPatterns", &o.MaxPatterns, 1, DefaultMaxPatterns)
	if o.MaxPatterns >= maxTemplates && err == nil {
		err = fmt.Errorf("columns options: MaxPatterns is %d: use less than %d", o.MaxPatterns, maxTemplates)
	}
	fill("MaxStateBytes", &o.MaxStateBytes, minStateBytes, DefaultMaxStateBytes)
	fill("MaxDataBytes", &o.MaxDataBytes, 1, DefaultMaxDataBytes)
	fill("MaxRawBytes", &o.MaxRawBytes, 1, DefaultMaxRawBytes)
	fill("MaxLines", &o.MaxLines, 1, DefaultMaxLines)
	if o.CheckEvery == 0 {
		o.CheckEvery = DefaultCheckEvery
	}
	return o, err
}

// admits refuses a batch that is too large for certain.
func (o *Options) admits(recs []record.Record, raw int) error {
	if len(recs) > o.MaxLines {
		return &TooLargeError{What: "number of records", Size: len(recs), Max: o.MaxLines}
	}
	for i := range recs {
		raw += len(recs[i].Status)
		if i == 0 || recs[i].Tags != recs[i-1].Tags {
			raw += len(recs[i].Tags)
		}
	}
	if raw > o.MaxRawBytes {
		return &TooLargeError{What: "batch", Size: raw, Max: o.MaxRawBytes}
	}
	return nil
}
