// Package spool keeps sealed batches on disk until they are acknowledged: a
// bounded log of segments between the batcher and the stream.
//
//	Append --> |acked|  handed out  |        waiting        | --> new segments
//	                 ^ Ack          ^ Next                  ^ next number
//
// A batch is logical: times, states, tags, messages and origins, nothing of a
// stream's encoding, so that it can be encoded against whatever state the next
// stream has. Each gets a sequence number; they start at 1 and have no gaps, so
// that the receiving side can tell a repeated batch from a new one. A number
// whose batch is gone, because it was dropped to make room or its bytes are
// corrupt, is handed out as a batch without records (Batch.Lost), and counted.
//
// What Append has returned survives the death of the process. With SyncBatch it
// survives a power cut too; with SyncInterval up to Config.SyncEvery of it may be
// lost then, and Spool.NeedsNewSession tells that numbers may repeat.
//
// # Format
//
// All integers are little-endian, all checksums CRC-32C. A spool is a directory:
//
//	lock                             held while it is open
//	mark                             what is acknowledged
//	<first>-<salt>.seg               segments; both hexadecimal, 16 and 8 digits
//
// The mark has two slots, at 0 and 512, which are written in turn; the valid one
// with the higher count holds:
//
//	magic u32 | flags u32 | count u64 | seq u64 | lines u64 | bytes u64 | boot u64 | crc u32
//
// seq is the highest acknowledged number, lines and bytes count up to and with
// it, boot identifies the run of the kernel. Flags: 1 closed in order, 2 every
// batch was synced. The crc covers all before it.
//
// A segment begins with 64 bytes and goes on with frames. first, lines and bytes
// are the number of its first batch and the counts before it:
//
//	magic u64 | flags u32 | first u64 | lines u64 | bytes u64 | last u64 | lines u64 | bytes u64 | crc u32
//
// Flag 1 says that its batches were dropped: then no frames follow, and last with
// the counts after it tell which they were. A frame is one batch:
//
//	magic u32 | length u32 | seq u64 | lines before u64 | bytes before u64 |
//	lines u32 | bytes u32 | body crc u32 | header crc u32 | body
//
// Both checksums start from the segment's salt, which is random and in its name
// only, so that no message can pass for a frame when a reader looks for the next
// one after corrupt bytes. The body is a sequence of records, in which a varint is
// LEB128 and a delta a zigzag varint against the record before it:
//
//	record = flags u8, [time delta], [status string], [tags string], [source string], [end delta], length varint, message
//	string = index varint, [length varint, bytes]
//
// A bit of flags says that the field differs: 1 time, 2 status, 4 tags, 8 source;
// 16 says that end is not the previous end + length + 1. String 0 is empty, and an
// index equal to the number of strings known in the frame defines the next one.
//
// Library: x/sys syncs what was written, and not its times.
package spool
