// Package debugger is the engine that puts probes on functions and lines of running,
// unmodified Go processes and returns typed snapshots.
//
//	probe --definition--> plan <--facts-- binary (ELF, DWARF, pclntab)
//	                       |
//	                      bpf --uprobe--> kernel --ring buffer--> event
//	                                                                |
//	                       sink <--JSON-- snapshot <--items---------'
//
// Engine follows a configuration; Trace watches one function or line of one process and
// needs none. Package control brings what is wanted and what is together,
// package target finds the processes.
//
// The engine is assembled by New from plain values and knows nothing of fx.
package debugger
