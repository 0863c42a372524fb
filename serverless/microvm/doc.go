// Package microvm knows who this machine is: the image it was made from, read
// from the environment, and the safe form of the instance id the platform sends
// with the run hook. It is pure: no file, no clock, no network.
package microvm
