// Package comp is the root of the composition: the only production code that
// imports fx. Each sub-package is one component; agent.Options assembles them.
//
// Beyond what the architecture names: klauspost/compress is the zstd of the
// metrics API's bodies, which the standard library lacks and the logs engine
// brings along already.
package comp
