// Package robust compares what the receiving side has with what was written,
// while everything between fails: the ground truth of the logs engine (logs
// specification, section 7, case S8).
//
//	writer -> file -> agent (a process) -> Proxy -> relay -> intake -> journal
//	   `------------------- compared, line by line -------------------'
//
// Faults are the cases F1 to F31 that can be played from outside of the agent;
// each is a row of a table (see Faults) and knows its own network, receiving side
// and moment. F25 (a hundred senders at once) and F28 (a clock that jumps) cannot:
// they are shown in logs/stream.
//
// Every line has a number, so that a lost, a repeated, a changed and a misplaced
// one are told apart.
package robust
