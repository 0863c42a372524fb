// Package child supervises the application: it spawns one process, passes every
// signal of the agent on to it, and reports its end with the exit code a shell
// would report.
//
// The process leads its own process group. A terminal's Ctrl-C therefore reaches
// it once, through the agent, and not twice; and when it does not end in time,
// the whole group is killed, so that no grandchild survives holding a port. Its
// standard input is the null device: as a background group it could not read the
// terminal.
package child
