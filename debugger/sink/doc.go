// Package sink writes snapshots where their user wants them: one JSON object a
// line (NDJSON), to a file or to standard output.
//
// Writing never holds up the reading of probes: snapshots wait in a queue of
// bounded size, and what does not fit is dropped and counted.
package sink
