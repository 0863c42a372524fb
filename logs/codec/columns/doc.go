// Package columns encodes batches of log lines so that little of them is left, and
// decodes them to the same bytes. FORMAT.md describes the format.
//
// A line is a template and values. The values at one place of a template are a
// column: it has a model of its own, which both sides keep for the life of the
// stream and which adapts to what it sees: a dictionary, copies of other columns,
// differences, digits. The models drive one arithmetic coder. What has no model,
// such as new templates and free text, goes through zstd with a window that also
// lives as long as the stream.
//
//	records -> pattern.Table -> templates, values -> columns -> coder -> batch
//	                                               \> text -> zstd  /
//
// Neither side starts a goroutine. An encoder takes about 4 MiB, its self-check and
// scratch for batches of a thousand lines included, and up to twice what its state
// weighs: the weight is that of FORMAT.md, the rest are indexes that only the encoder
// has. It makes the small parts of its models in chunks, and starts afresh when those,
// with what has been dropped, come to twice the budget. A new batch may ask the receiver
// to start from empty state, so that an encoder that has failed, or is full, goes on in
// the same stream.
//
// The self-check decodes a batch now and then on a copy of the models, which takes as
// much memory as the state weighs while it lasts. A batch that would come back
// otherwise goes as text, from empty state.
//
// Unlike a codec whose state outlives a stream, this one does not use the cost model of
// package pattern, nor its time to live. State is never told again in a snapshot, so
// that the cost of a template is that of a line of text once, which the second line
// has paid for; nothing is carried that would have to be taken back when it is idle,
// and what is idle makes room when there is none: the table evicts by what patterns
// bring, and a state that is nearly full is given up as a whole.
//
// The package depends on github.com/klauspost/compress for zstd.
package columns
