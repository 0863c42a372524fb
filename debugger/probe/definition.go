package probe

import (
	"strconv"
	"strings"

	"github.com/vigil-agent/vigil/debugger/plan"
)

// Definition is one valid snapshot probe, on a function or on a line.
type Definition struct {
	// ID and Version are the identity of the probe in every snapshot and
	// status. A changed definition has a new Version.
	ID      string
	Version int
	// Function is the qualified Go name: "main.(*Server).Handle". It may be empty
	// on a line, and else leaves out the line's copies in other functions.
	Function string
	// File and Line are those of a probe on a line, "" and 0 on a function. File
	// is a path as the compiler recorded it, or the end of one from a slash on.
	File string
	Line int
	// Returns asks for the results and the duration of each call of a function. It
	// costs a trap at each return besides, and returns have no cheap instruction.
	Returns bool
	// Limits bound one snapshot; every field is set.
	Limits plan.Limits
	// SnapshotsPerSecond is the rate limit of the probe, over all processes
	// that run one binary together; more than 0.
	SnapshotsPerSecond float64
	// Tags are the definition's own tags, "key:value" each.
	Tags []string
	// Origin is where the definition was written: "probes.json:3:1", or
	// "vigil.yaml:12:5".
	Origin string
}

// Place is what the definition is on, for people: the function, or "server.go:42".
func (d *Definition) Place() string {
	if d.Line == 0 {
		return d.Function
	}
	return d.File + ":" + strconv.Itoa(d.Line)
}

// FileLine splits "server.go:42"; ok is false for everything else.
func FileLine(text string) (file string, line int, ok bool) {
	i := strings.LastIndexByte(text, ':')
	if i <= 0 {
		return "", 0, false
	}
	line, err := strconv.Atoi(text[i+1:])
	return text[:i], line, err == nil && line > 0
}

// DefaultSnapshotsPerSecond is the rate of a probe that names none (debugger
// specification, section 9.5).
const DefaultSnapshotsPerSecond = 1

// Bounds of the numbers a definition may ask for. Length is the largest data
// item the kernel program reads (section 4: 8 KiB); the others keep one
// snapshot under the 1 MiB of section 9.5 for all but contrived types.
const (
	MaxDepth              = 32
	MaxCollection         = 8192
	MaxLength             = 8192
	MaxFields             = 1024
	MaxSnapshotsPerSecond = 5000
)

// typeLogProbe is the only kind of probe executed here; with captureSnapshot
// it is a snapshot probe.
const typeLogProbe = "LOG_PROBE"
