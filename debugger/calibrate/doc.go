// Package calibrate measures what a hit of a probe costs on this machine and
// kernel: it places an empty program on instructions of its own process, one of
// each class, and calls them.
package calibrate
