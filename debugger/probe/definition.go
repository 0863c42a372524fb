package probe

import "github.com/vigil-agent/vigil/debugger/plan"

// Definition is one valid snapshot probe on one function.
type Definition struct {
	// ID and Version are the identity of the probe in every snapshot and
	// status. A changed definition has a new Version.
	ID      string
	Version int
	// Function is the qualified Go name: "main.(*Server).Handle".
	Function string
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
