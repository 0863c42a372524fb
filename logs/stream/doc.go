// Package stream sends batches of log lines over one stateful gRPC stream at a
// time and reports, in order, which of them the receiving side holds durably.
//
// The subject is split in two. The core (core.go and the files of its subjects)
// is a state machine without I/O, time or goroutines: events go in, effects come
// out, and a signal of a stream that has been given up carries an old generation
// and is ignored. The driver (worker.go, run.go, link.go) owns the goroutines:
//
//	Append --> owner ==core==> link (one per stream): sender --> gRPC, or HTTP
//	             ^  |                                 receiver <-- gRPC
//	             |  `--> notifier --> OnDurable          |
//	             `-------- opened, acks, ended ----------'
//
// The owner is the only goroutine that touches the core. It never blocks on
// the network, so acknowledgements, timers and Stop are served while a send
// waits for flow control.
//
// A queue on disk stands in front of Append, not inside: whoever reads it calls
// AppendSeq with the number of each batch, which blocks while the bounds of
// memory are reached, and acknowledges the queue when OnDurable reports that
// number. A queue in memory is the same without numbers.
//
// What is guaranteed: a batch that Append accepted is released (OnDurable)
// only after the receiving side acknowledged it, in the order of Append; it is
// replayed on the next stream for as long as it is not acknowledged, and a
// receiving side that keeps sessions holds it once. The state table of the
// protocol, its classes of failure and its bounds are in STREAM.md.
package stream
