// Package rows is the row-wise profile of the stateful logs protocol: the public
// schema datadog.intake.stateful (generation B), encoder and decoder side by side.
//
// A stream carries one state: patterns (templates of log lines) and a dictionary
// of strings, both learnt by the encoder, told once, and referred to by number.
//
//	records -> Encoder.Encode -> Payload{Data, Changes} -> stream -> Decoder.Decode -> lines
//	                                        |
//	                 acknowledged: Ledger.Apply -> Ledger.Snapshot -> batch 0 of a new stream
//
// The caller keeps every unacknowledged Payload. When a stream ends, a new one is
// told the ledger's snapshot and then the unacknowledged payloads, byte for byte.
//
// PROTOCOL.md beside this file says how the schema is used and what was decided
// where the schema leaves room. Libraries: klauspost/compress for zstd and gzip,
// protobuf's protowire for varints, jsontext for quoting JSON strings.
package rows
