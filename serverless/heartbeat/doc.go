// Package heartbeat emits the active-instances sample: one gauge of value 1 per
// interval for as long as this machine is in its running phase. It feeds a
// metering pipeline, so its promise is exactness: there is never a second loop,
// never a sample without an instance id, and never one after a clean Stop.
//
//	Start, Halt, SetID --command--> owner goroutine --at most one--> emission goroutine --> Metrics
//
// The owner goroutine alone holds the state, so there is nothing to lock, and it
// never calls the metrics client itself, so a client that blocks cannot keep it
// from obeying. The last command wins.
package heartbeat
