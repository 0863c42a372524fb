package registry

import (
	"fmt"
	"time"
)

// Key is where the file system keeps a file, whatever it is called.
type Key struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
}

// Entry is what is known about one file.
type Entry struct {
	// ID is the source identity that records carry (record.Origin.Source). It is
	// given once and stays the same when the file is renamed, when it grows and
	// when the agent restarts.
	ID string `json:"id"`
	// Path is the last name the file was seen under.
	Path string `json:"path"`
	Key
	Fingerprint Fingerprint `json:"fingerprint"`
	// Offset is where reading resumes, in bytes: everything before it is durable.
	Offset int64 `json:"offset"`
	// Seen is when the file was last followed.
	Seen time.Time `json:"seen"`
}

// newID names a file after its place and first bytes. generation tells apart
// the contents that one file has had, should they begin alike.
func newID(key Key, print Fingerprint, generation int) string {
	id := fmt.Sprintf("%x-%x-%.8s", key.Device, key.Inode, print.Hash)
	if generation > 0 {
		id = fmt.Sprintf("%s.%d", id, generation)
	}
	return id
}

// sameFile says whether a file found at path under key, starting with head, is
// the one of the entry. Device numbers of network, overlay and mapped disks may
// change at a reboot: then the name and a complete fingerprint must agree.
func (e *Entry) sameFile(path string, key Key, head []byte) bool {
	if e.Inode != key.Inode || !e.Fingerprint.Matches(head) {
		return false
	}
	return e.Device == key.Device || e.Path == path && e.Fingerprint.Size == FingerprintSize
}
