// Package loggen makes realistic logs of several kinds of services, for tests and
// benchmarks, from a seed. The same kind and seed give the same bytes.
//
//	g, err := loggen.New("nginx", 1)
//	line := g.Line() // time, status and message
//	g.Bits()         // how much of all that was chance
//
// A kind is flows of one or more lines; a line is a template whose fields draw
// from declared distributions. Every draw adds its information to Bits: drawing
// an outcome of probability p adds -log2 p. What a draw decides is visible in the
// line (or its time or status), so no code that restores the lines can be smaller
// than Bits by more than luck. Texts that two different draws can lead to make it
// an upper bound of the true entropy; the templates have next to none of these.
//
// Texts are our own; none is taken from a collection of logs.
package loggen
