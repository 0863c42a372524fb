// Package record holds the one value that travels through the logs engine: a
// log line and what is known about it. It has no dependencies, so that source,
// codec, stream and intake agree without importing each other.
package record

import "slices"

// Record is one log line.
type Record struct {
	// Time is when the line was read or written, in Unix milliseconds.
	Time int64
	// Status is the severity ("info", "error" …); empty means none.
	Status string
	// Tags is the comma-joined tag set; empty means none. Lines of one source
	// share one string, so comparing it is cheap.
	Tags string
	// Message is the line without its line feed; a carriage return before it is
	// part of the line. Any bytes are legal.
	Message []byte
	// Origin is where the line was read, so that its offset can be released
	// once the line is durable. The zero Origin releases nothing.
	Origin Origin
}

// Origin is a position in a source.
type Origin struct {
	// Source identifies the stream of bytes across renames and restarts: for
	// files, device and inode with a fingerprint of the first bytes.
	Source string
	// End is the offset just after the line, its line feed included, in bytes.
	End int64
}

// LastOrigins is the last origin of each source in recs; lines without one are left
// out.
func LastOrigins(recs []Record) []Origin {
	var out []Origin
	at := -1
	for i := range recs {
		o := recs[i].Origin
		if o.Source == "" {
			continue
		}
		if at < 0 || out[at].Source != o.Source { // runs of one source are the rule
			at = slices.IndexFunc(out, func(known Origin) bool { return known.Source == o.Source })
		}
		if at < 0 {
			at = len(out)
			out = append(out, o)
			continue
		}
		out[at] = o
	}
	return out
}
