// Package source reads log lines from where they are written. Files follows
// files: it finds them by pattern, keeps up with rotation and truncation, and
// hands on every byte exactly once per run.
//
// One goroutine looks for files, one reads each file:
//
//	pattern --scan--> path --open--> (device, inode) --read--> lines --> Sink
//	           ^                                          |
//	    fsnotify, timer                              back-pressure
//
// What happens to a file, and what follows from it:
//
//	renamed, new file at its name   the old one is read to its end before the
//	                                first line of the new one; its descriptor is
//	                                kept until nothing was added for Linger
//	rotated several times between   the files in between are found beside it by
//	two looks, or while stopped     their rotated names and read in order
//	truncated, also by copytruncate read again from its beginning, as a new
//	                                source; what copytruncate loses between its
//	                                copy and its truncation is lost to everyone
//	deleted                         read to its end, kept as long as a renamed one
//	no line feed at the end         held back until the line is complete, or sent
//	                                as it is when the file is given up
//
// A line is everything before a line feed, byte for byte: carriage returns, NUL
// and invalid UTF-8 included. A line longer than Config.MaxLine is cut into
// records of that size, which is counted.
//
// Reading stops while the Sink blocks. For all files that are local memory is bounded
// by MemoryBytes: four chunks of 256 KiB, one of which grows for a longer line, and
// what is held of lines that are not complete. Of those that find no room there, the
// beginning is read again when they go on, and is gone when the file is emptied
// before. Each file that is not local has a chunk of its own,
// of 32 KiB, while it is read.
package source
