// Package harness starts the real programs that the quickstart, the end-to-end
// tests and the benchmarks play with: built once, run in process groups of
// their own, and always waited for.
package harness
