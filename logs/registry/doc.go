// Package registry remembers, across restarts, how far every log file has been
// read and delivered. It is one small JSON file in the run path.
//
// An offset moves only when the lines before it are durable on the receiving
// side, so a restart repeats at most what was not acknowledged yet and never
// skips a line:
//
//	Begin          1    2    3    4    handed to the stream, in order
//	CommitThrough       2              acknowledged, in order
//	offset        ------->|            where reading resumes
//
// Commits are coalesced in memory. The file is written at most once per
// Config.FlushEvery, on Flush and Stop, and when a file is followed for the first
// time: write a temporary file, fsync, rename, fsync the directory. What moves in
// between is appended at once to a second file that is not synced, so a killed
// process loses none of it and a power cut at most Config.FlushEvery. A file is recognised by device, inode and a
// fingerprint of its first bytes, so it keeps its offset when it is renamed and
// loses it when its inode is given to another file.
//
// Beside the offsets it keeps a few short values for the sender: see Remember.
package registry
