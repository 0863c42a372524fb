// Package stream sends batches of log lines over one stateful gRPC stream and
// reports, in order, which of them the receiving side holds durably.
//
// The subject is split in two. The core (core.go) is a state machine without
// I/O, time or goroutines: events go in, effects come out, and a signal of a
// stream that has been given up carries an old generation and is ignored. The
// driver (worker.go, run.go, link.go) owns the goroutines:
//
//	Append --> owner ==core==> link (one per stream): sender --> gRPC
//	             ^  |                                 receiver <-- gRPC
//	             |  `--> notifier --> OnDurable          |
//	             `-------- opened, acks, ended ----------'
//
// The owner is the only goroutine that touches the core. It never blocks on
// the network, so acknowledgements, timers and Stop are served while a send
// waits for flow control.
//
// What is guaranteed: a batch that Append accepted is released (OnDurable)
// only after the receiving side acknowledged it, in the order of Append; it is
// replayed on the next stream for as long as it is not acknowledged. The state
// table of the protocol is in STREAM.md.
package stream
