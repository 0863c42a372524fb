package heartbeat

import (
	"crypto/rand"
	"encoding/binary"
	"math"
	"time"
)

const (
	// DefaultInterval replaces an interval that is not positive (specification
	// section 3.4).
	DefaultInterval = 5 * time.Minute
	// DefaultJitter is the share of the interval by which two samples may be
	// closer together or further apart than the interval says.
	DefaultJitter = 0.05
	// ResyncPatience bounds how long a sample waits for a wall clock that shows a
	// time that cannot be (specification section 3.6).
	ResyncPatience = 2 * time.Second

	resyncPoll = 250 * time.Millisecond
)

// jittered moves interval by up to ±share of itself; draw selects the point,
// evenly from 0 (earliest) to the largest uint32 (latest).
func jittered(interval time.Duration, share float64, draw uint32) time.Duration {
	if share <= 0 {
		return interval
	}
	position := 2*float64(draw)/math.MaxUint32 - 1
	return interval + time.Duration(float64(interval)*min(share, 1)*position)
}

// drawJitter reads the kernel's generator at the moment of use: machines cloned
// from one snapshot share the state of every generator in memory.
func drawJitter() uint32 {
	var b [4]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never returns an error since Go 1.24
	return binary.NativeEndian.Uint32(b[:])
}
