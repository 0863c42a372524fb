// Package golden compares what the debugger captures of each function of
// test/sample/values with what is on record: by three toolchains, optimised,
// unoptimised, stripped and position-independent.
//
// testdata/subjects has the snapshots of the optimised build by the current
// toolchain. Where another build differs, testdata/differences has its own
// snapshot of that function: in the file of the build, of the toolchain, or of
// both, which is looked at first. Identifiers, times, addresses and numbers of
// goroutines are masked. After a change that is meant:
//
//	go test ./golden -update
//
// and read the difference. It goes through all twelve builds; without -all, a test
// takes the seven that differ most.
package golden
