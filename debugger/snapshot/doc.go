// Package snapshot turns one captured event into what its user reads: the JSON
// envelope of the debugger specification (section 1), one line for a terminal,
// or a tree.
//
//	plan --NewLayout--> Layout    names quoted, redaction decided, once per plan
//	                      |
//	event --Decoder.Decode--> Snapshot    bytes to values: limits, reasons, cycles
//	                            |-- AppendJSON
//	                            |-- AppendText
//	                            '-- AppendTree
//
// Every decision (what is redacted, how deep, why something is missing) is
// taken once, in Decode; the three renderings only print. A Decoder and its
// Snapshot reuse their buffers: after the first events neither Decode nor
// AppendJSON allocates.
//
// The envelope's schema is schema.json.
package snapshot
