// Package event is the framing of what the kernel program sends: one event for
// each probe hit, made of a header, program counters and data items. Parse
// turns bytes into views of them and allocates nothing in steady state; Append
// is its inverse. An event of more than 32 KiB comes as several records, which
// an Assembler joins; a call stack is sent once, and Stacks remembers it.
//
// All numbers are little-endian and every part is padded to 8 bytes:
//
//	offset size
//	0      4    length of the event in bytes, this header included
//	4      2    layout version (Version)
//	6      2    number of program counters
//	8      4    probe index
//	12     4    site index
//	16     4    process id (thread group, initial PID namespace)
//	20     4    thread id
//	24     4    target: what the agent calls the process
//	28     4    flags: bit 0, the capture stopped early; bit 1, fragments follow;
//	            bits 8-15, number of the fragment, from 0
//	32     8    goroutine id, 0 when unreadable
//	40     8    CLOCK_MONOTONIC, nanoseconds
//	48     8    hash of the program counters, 0 without any
//	56     8    run-time address of the probed instruction
//	64     4    bytes of the goroutine's stack above the frame, 0 when unreadable
//	68     4    processor
//	72     8    at a return, CLOCK_MONOTONIC when the call began; else 0
//	80     8×n  program counters; none in a later fragment, nor when the reader has
//	            them
//	…           items, each:
//	            4    type id in bits 0-26, reason in bits 27-31
//	            4    length of the data in bytes
//	            8    address the data was read from
//	            …    data, padded with zeroes to 8
//
// The first item is the root and has type 0. A later item of type 0 has no
// data: it is a hole, a run of the root's bytes that could not be read, with
// the run's offset in the low half of the address and its length in the high
// half.
package event
