// Package fallback ships logs over plain HTTP: the v2 JSON of Datadog's intake and
// whatever is compatible with it. It is the lowest rung of the ladder of profiles,
// and the only one for people whose backend speaks nothing else.
//
//	POST /api/v2/logs   [{"message":…,"status":…,"timestamp":ms,"hostname":…,"service":…,"ddsource":…,"ddtags":…}, …]
//
// One Send is one batch, in as many requests as the intake's limits ask for
// (logs specification, section 4): 5 MB before compression, 1000 entries, 1 MB an
// entry, beyond which a message is cut and counted. Delivery is at least once:
// HTTP has nothing that tells a repeated batch from a new one.
//
// Libraries: jsontext of go-json-experiment appends quoted strings without
// allocating; klauspost/compress has zstd.
package fallback
