package binary

import (
	"fmt"
	"strings"
)

// goidOffsets are the offsets of goid in runtime.g, in bytes, by minor version
// of Go on 64-bit machines, for binaries without debug information. They were
// read from the debug information of programs built by each toolchain.
var goidOffsets = map[string]uint32{
	"go1.24": 160, "go1.25": 152, "go1.26": 152,
}

// GoIDOffset is the offset of goid in runtime.g, in bytes: from debug
// information, or by the Go version when there is none.
func (b *Binary) GoIDOffset() (uint32, error) {
	if off, ok, err := b.goidFromDWARF(); err != nil || ok {
		return off, err
	}
	if off, ok := goidOffsets[minorVersion(b.goVersion)]; ok {
		return off, nil
	}
	return 0, fmt.Errorf("%w (the layout of goroutines of %s is not known)", ErrUnsupportedGo, orUnknown(b.goVersion))
}

func (b *Binary) goidFromDWARF() (off uint32, ok bool, err error) {
	if b.DebugInfo() != nil {
		return 0, false, nil
	}
	d, err := b.debugData()
	if err != nil || d.known["runtime.g"] == 0 {
		return 0, false, err
	}
	defer guard(&err)()
	offsets, err := d.memberOffsets(d.known["runtime.g"])
	off, ok = offsets["goid"]
	return off, ok, err
}

// minorVersion is "go1.26" for "go1.26.8", "go1.26rc1" or "go1.26.8 X:foo".
func minorVersion(version string) string {
	rest, ok := strings.CutPrefix(version, "go1.")
	if !ok {
		return ""
	}
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	return "go1." + rest[:end]
}
