package registry

import (
	"crypto/sha256"
	"encoding/hex"
)

// FingerprintSize is how many of a file's first bytes identify it. A line with
// a timestamp makes 256 bytes differ between files; a file that is still
// shorter is identified by what it has, and again as it grows.
const FingerprintSize = 256

// Fingerprint identifies a file by its first bytes.
type Fingerprint struct {
	// Hash is the first half of the SHA-256 of the bytes, in hex.
	Hash string `json:"hash"`
	// Size is how many bytes were hashed, at most FingerprintSize. A fingerprint
	// of size 0 matches every file.
	Size int `json:"size"`
}

// FingerprintOf hashes the first bytes of a file; head holds them all, or more.
func FingerprintOf(head []byte) Fingerprint {
	head = head[:min(len(head), FingerprintSize)]
	sum := sha256.Sum256(head)
	return Fingerprint{Hash: hex.EncodeToString(sum[:sha256.Size/2]), Size: len(head)}
}

// Matches says whether a file that starts with head can be the one the
// fingerprint was taken from: it may have grown since, but not changed or
// shrunk.
func (f Fingerprint) Matches(head []byte) bool {
	if len(head) < f.Size || f.Size > FingerprintSize || f.Size < 0 {
		return false
	}
	return FingerprintOf(head[:f.Size]).Hash == f.Hash
}
