package binary

import (
	"fmt"
	"slices"
	"strings"
)

// knownVersions are the toolchains whose runtime is known without debug
// information.
var knownVersions = []string{"go1.24", "go1.25", "go1.26"}

// GoIDOffset is the offset of goid in runtime.g, in bytes: from debug
// information, or by the Go version when there is none.
func (b *Binary) GoIDOffset() (uint32, error) {
	described := b.DebugInfo() == nil
	if !described && !slices.Contains(knownVersions, minorVersion(b.goVersion)) {
		return 0, fmt.Errorf("%w (the layout of goroutines of %s is not known)", ErrUnsupportedGo, orUnknown(b.goVersion))
	}
	r, err := b.Runtime()
	return r.G.GoID, err
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
