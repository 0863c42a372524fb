// Package realworld tries probes on programs that were not written for it:
// servers of third parties, pinned in testdata/servers/go.mod and built from the
// module proxy when the tests run.
package realworld
