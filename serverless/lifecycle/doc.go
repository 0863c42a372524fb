// Package lifecycle answers the hooks that the platform calls while it builds,
// starts, suspends, resumes and ends a MicroVM.
//
//	request -> route -> body -> Machine (decides) -> heartbeat
//	                                             |-> event metric
//	                                             |-> the app's own hook
//	                                             `-> drain, flush -> answer
//
// What a hook means is decided by Machine, which is pure data; Server carries
// the decision out within one absolute time budget per hook. A hook that the
// platform considers late or failed costs the customer a launch or a suspend, so
// nothing the agent does for itself may exceed its share of that budget: every
// call into foreign code runs behind a gate that bounds the wait and the number
// of goroutines left behind.
package lifecycle
