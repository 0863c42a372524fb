// Package identity tells the processes inside a MicroVM who the machine is: by
// GET on a loopback address and, if asked to, in a file. Tracers and applications
// need it because clones of one snapshot are alike in memory until somebody tells
// them apart (specification section 8).
package identity

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"sync"
)

// Identity is what a process may know about its machine.
type Identity struct {
	// MicroVMID is the instance id, empty before run brought one.
	MicroVMID string `json:"microvm_id"`
	// ImageARN is empty outside a MicroVM.
	ImageARN     string `json:"image_arn"`
	ImageVersion string `json:"image_version"`
	// CloneGeneration is a random UUID drawn at run: it tells two machines made
	// from one snapshot apart even where they have no id. Empty before run.
	CloneGeneration string `json:"clone_generation"`
	// ResumeCount is how often the machine was resumed since run.
	ResumeCount uint64 `json:"resume_count"`
}

// Book holds the identity. It is safe for concurrent use.
type Book struct {
	mu      sync.Mutex
	current Identity
}

// NewBook begins with what the image says.
func NewBook(arn, version string) *Book {
	return &Book{current: Identity{ImageARN: arn, ImageVersion: version}}
}

// Current is the identity at this moment.
func (b *Book) Current() Identity {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.current
}

// Run notes that a machine came to life with id, which may be empty. The
// generation is drawn from the kernel at this moment: a generator in memory is in
// the same state in every clone.
func (b *Book) Run(id string) {
	generation := newUUID()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current.MicroVMID, b.current.CloneGeneration, b.current.ResumeCount = id, generation, 0
}

// Resume notes a resume.
func (b *Book) Resume() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.current.ResumeCount++
}

// newUUID is a random UUID (RFC 9562, version 4).
func newUUID() string {
	var u [16]byte
	_, _ = rand.Read(u[:]) // crypto/rand.Read never returns an error since Go 1.24
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}

// document is the identity as it is served and stored.
func (i Identity) document() []byte {
	text, _ := json.Marshal(i) // strings and a number cannot fail
	return append(text, '\n')
}
