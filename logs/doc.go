// Package logs is the engine that ships logs over a stateful gRPC stream.
//
// Data flows one way; what is acknowledged flows back as read offsets:
//
//	source --record--> batch --lines--> [spool] --> stream (codec) --> intake
//	  ^                                    |           |
//	  `------------- registry <--offsets---+-----------'
//
// Every stage is bounded and blocks the one before it, so a receiving side that
// lags slows the reading of files down instead of filling memory. A line's
// offset is released only when the line is durable, in the spool or on the
// receiving side: a crash at any point repeats at most what was not acknowledged
// and loses nothing that is still in the files or the spool.
//
// The engine is assembled by New from plain values and knows nothing of fx.
package logs
