// Package series turns emitted values into what the Datadog metrics API takes:
// it aggregates them in buckets of ten seconds and encodes the buckets as the
// rows of the v2 series endpoint and of the distribution-points endpoint. It
// does no I/O and starts nothing.
//
//	emit -> Aggregate -> Point -> Payload -> Body
//
// Each Point knows how many emitted samples are in it, and each Payload how
// many are in its points, so that whatever happens to a payload can be counted
// in samples: what was emitted is what was sent and what was dropped.
package series
