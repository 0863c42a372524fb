package snapshot

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

// printable reports whether a scalar has a width that exists.
func printable(t *typeInfo) bool {
	switch t.kind {
	case gotype.Bool:
		return t.size == 1
	case gotype.Int, gotype.Uint, gotype.Uintptr:
		return t.size == 1 || t.size == 2 || t.size == 4 || t.size == 8
	case gotype.Float:
		return t.size == 4 || t.size == 8
	case gotype.Complex:
		return t.size == 8 || t.size == 16
	}
	return false
}

// notation is how floating-point numbers are written: 'f' is always fixed point
// (debugger specification, section 1.2), 'g' turns to an exponent for numbers
// that would be long.
type notation byte

// appendScalar appends the text of a printable scalar; it holds no character
// that JSON escapes.
func appendScalar(dst []byte, t *typeInfo, data []byte, how notation) []byte {
	switch t.kind {
	case gotype.Bool:
		return strconv.AppendBool(dst, data[0] != 0)
	case gotype.Int:
		shift := 64 - 8*t.size
		return strconv.AppendInt(dst, int64(unsigned(data, t.size)<<shift)>>shift, 10)
	case gotype.Uint:
		return strconv.AppendUint(dst, unsigned(data, t.size), 10)
	case gotype.Uintptr:
		return appendHex(dst, unsigned(data, t.size))
	case gotype.Float:
		return appendFloat(dst, data, t.size, how)
	case gotype.Complex:
		half := t.size / 2
		dst = appendFloat(append(dst, '('), data, half, how)
		at := len(dst)
		dst = appendFloat(append(dst, '+'), data[half:], half, how)
		if dst[at+1] == '-' || dst[at+1] == '+' { // the number brought its own sign
			dst = append(dst[:at], dst[at+1:]...)
		}
		return append(dst, "i)"...)
	}
	return dst
}

func unsigned(data []byte, size uint64) uint64 {
	switch size {
	case 1:
		return uint64(data[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(data))
	case 4:
		return uint64(binary.LittleEndian.Uint32(data))
	}
	return binary.LittleEndian.Uint64(data)
}

func float(data []byte, size uint64) (f float64, bits int) {
	if size == 4 {
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(data))), 32
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(data)), 64
}

// appendFloat appends the shortest text that reads back as the same number:
// NaN, +Inf and -Inf are spelled out.
func appendFloat(dst []byte, data []byte, size uint64, how notation) []byte {
	f, bits := float(data, size)
	if a := math.Abs(f); how == 'g' && (a == 0 || a >= 1e-6 && a < 1e21) {
		how = 'f'
	}
	return strconv.AppendFloat(dst, f, byte(how), -1, bits)
}

// fixedPointLength is an upper bound of the text of a float or complex: numbers
// far from 1 are long without an exponent.
func fixedPointLength(t *typeInfo, data []byte) int {
	size := t.size
	if t.kind == gotype.Complex {
		size /= 2
	}
	n := 0
	for ; len(data) >= int(size); data = data[size:] {
		f, _ := float(data, size)
		n += 24
		if a := math.Abs(f); a > 1e18 || a < 1e-6 && a > 0 {
			n += 330
		}
	}
	return n
}

func appendHex(dst []byte, n uint64) []byte {
	return strconv.AppendUint(append(dst, "0x"...), n, 16)
}

// timeSize is the size of time.Time: wall, ext and loc, a word each.
const timeSize = 24

// The layout of time.Time.wall (Go's time package, unchanged since Go 1.9): a
// flag, 33 bits of seconds since 1885 when it is set, 30 bits of nanoseconds.
// Without the flag ext holds the seconds since year 1.
const (
	wallHasMonotonic = 1 << 63
	wallNanoBits     = 30
	unixOfYear1      = -62135596800
	unixOf1885       = -2682288000
)

// seconds is the Unix time of a time.Time, and nanos the rest.
func seconds(data []byte) (sec, nanos int64) {
	wall, ext := binary.LittleEndian.Uint64(data), int64(binary.LittleEndian.Uint64(data[8:]))
	sec = ext + unixOfYear1
	if wall&wallHasMonotonic != 0 {
		sec = unixOf1885 + int64(wall<<1>>(wallNanoBits+1))
	}
	return sec, int64(wall & (1<<wallNanoBits - 1))
}

// zones are locations by their distance from UTC, so that printing a time makes
// none.
type zones map[int64]*time.Location

// maxZones bounds zones: real distances are multiples of a quarter of an hour.
const maxZones = 256

// at is a location east of UTC by so many seconds; UTC for more than a day.
func (z zones) at(east int64) *time.Location {
	const day = 24 * 3600
	if east == 0 || east > day || east < -day {
		return time.UTC
	}
	if z[east] == nil {
		if len(z) >= maxZones {
			clear(z)
		}
		z[east] = time.FixedZone("", int(east))
	}
	return z[east]
}

func (s *Snapshot) appendTime(dst []byte, v *value) []byte {
	sec, nanos := seconds(v.data)
	return time.Unix(sec, nanos).In(s.zones.at(int64(v.capacity))).AppendFormat(dst, time.RFC3339Nano)
}
