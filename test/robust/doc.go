// Package robust compares what the receiving side has with what was written,
// while everything between fails: the ground truth of the logs engine (logs
// specification, section 7, case S8).
//
//	writer -> file -> agent (a process) -> Proxy -> relay -> intake -> journal
//	   `------------------- compared, line by line -------------------'
//
// Faults are the cases F1 to F31; each is a row of a table (see Faults) and knows
// its own network, receiving side and moment. The agent is the real program. For
// F28, a clock that jumps, its time package is replaced by one that differs in
// where Now takes the seconds from.
//
// Every line has a number, so that a lost, a repeated, a changed and a misplaced
// one are told apart.
package robust
