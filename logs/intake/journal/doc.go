// Package journal keeps received log lines in a file, one JSON object a line:
//
//	{"time":1730000000000,"status":"info","tags":"env:dev,service:app","message":"ready","wire_bytes":4.25}
//
// time is in Unix milliseconds and wire_bytes is the line's share of the bytes
// that its batch took on the wire, rounded to hundredths. A message that is not
// UTF-8 stands in "message_base64" instead of "message", so that any message
// comes back byte for byte. The keys always come in this order.
//
// A batch may carry a mark: the session that sent it and its number in it. The marks
// are in a second file, <journal>.sessions, and become durable with their lines or
// not at all: a line of words that ends with its CRC-32C is added when the lines are
// on disk, and tells the journal's size with them; what is beyond that size was not
// acknowledged and is cut at the next start. A file of
// Options.SegmentBytes is put aside as <journal>.000001 and so on, and the oldest ones
// are removed beyond Options.MaxBytes.
//
// A Journal writes from one goroutine and calls back once a batch is on disk:
// batches that arrive while a sync runs share the next one (group commit). Read
// gives the lines back.
//
// Libraries: jsontext of go-json-experiment appends quoted strings without
// allocating.
package journal
