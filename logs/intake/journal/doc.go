// Package journal keeps received log lines in a file, one JSON object a line:
//
//	{"time":1730000000000,"status":"info","tags":"env:dev,service:app","message":"ready","wire_bytes":4.25}
//
// time is in Unix milliseconds and wire_bytes is the line's share of the bytes
// that its batch took on the wire, rounded to hundredths. A message that is not
// UTF-8 stands in "message_base64" instead of "message", so that any message
// comes back byte for byte. The keys always come in this order.
//
// A Journal writes from one goroutine and calls back once a batch is on disk:
// batches that arrive while a sync runs share the next one (group commit). Read
// gives the lines back.
//
// Libraries: jsontext of go-json-experiment appends quoted strings without
// allocating; x/sys locks the file.
package journal
