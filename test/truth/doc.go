// Package truth compares snapshots with what a program says of its own values.
//
// A target is generated: random types, and a function for each that takes a
// pointer to one. It fills them with random values, prints each through
// reflection the way a snapshot shows it, and calls the function, where a probe
// waits. What the probe saw must be what the program printed, addresses
// included; and where a limit was hit, everything that is missing must have its
// reason beside it.
package truth
