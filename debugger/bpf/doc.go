// Package bpf runs plans in the kernel: it loads the program that executes
// their byte-code, attaches it to the probed instructions of running processes
// and reads the events it sends.
//
//	plan.Plan --Load--> Session --Attach--> uprobes in the process
//	                       |                     |
//	                     Read <--ring buffer-- c/capture.bpf.c
//
// A Session serves one binary: all its plans were made from it. It can be
// attached to any number of processes that run it. Nothing is stopped, nothing
// in a process is written except the breakpoints the kernel places, and when a
// Session is closed, or the program that owns it dies, the kernel removes
// everything.
//
// The program reads only: it needs CAP_BPF and CAP_PERFMON, and CAP_SYS_PTRACE
// to name executables by /proc/PID/exe.
package bpf
