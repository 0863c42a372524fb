// Package stress puts probes on every function of a program that does what is
// hard on them, with all returns, ends the agent by force, and sees to it that
// the program is what it was: its results right, its code without a breakpoint,
// its calls as fast as before. It does so again and again for as long as it is
// asked to.
package stress
