package quarantine

import (
	"time"

	"github.com/vigil-agent/vigil/logs/record"
)

// Entry is one line in quarantine.
type Entry struct {
	// At is when it was put there, Reason and Error why.
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	Error  string    `json:"error"`
	// The record; Message is base64 in the file, because a line may hold any bytes.
	Time    int64  `json:"time"`
	Status  string `json:"status,omitempty"`
	Tags    string `json:"tags,omitempty"`
	Message []byte `json:"message"`
	Source  string `json:"source,omitempty"`
	End     int64  `json:"end,omitempty"`
}

// Record is the line as it was read. Its origin is not for releasing: the offset
// was released when the line was put aside.
func (e Entry) Record() record.Record {
	return record.Record{Time: e.Time, Status: e.Status, Tags: e.Tags, Message: e.Message, Origin: record.Origin{Source: e.Source, End: e.End}}
}

// entryOf is the entry of a record.
func entryOf(r record.Record, at time.Time, reason string, cause error) Entry {
	e := Entry{At: at, Reason: reason, Time: r.Time, Status: r.Status, Tags: r.Tags, Message: r.Message, Source: r.Origin.Source, End: r.Origin.End}
	if e.Message == nil {
		e.Message = []byte{} // an empty line is one; null is none
	}
	if cause != nil {
		e.Error = cause.Error()
	}
	return e
}
