// Package control brings what is wanted, probes times processes, together with
// what is: for each binary that runs, a Program with the probes that resolve in
// it, placed in the processes that run it.
//
//	target.Change --> Manager --> Program (one a binary) --> kernel
//	                  one goroutine   |
//	                                 one reader goroutine --> Deliver
//
// All decisions are taken in the Manager's goroutine, one change after the
// other. What goes wrong with one probe in one process is a status and never
// ends anything else.
package control
