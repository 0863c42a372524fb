// Package target finds the processes that probes are placed in and follows
// them: by pid, by executable, or by the service they call themselves.
//
// A process is a pid and its start time, because pids are used again. Nothing
// here stops or changes a process; everything is read from /proc.
package target
