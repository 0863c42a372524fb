package binary

import (
	"bytes"
	"encoding/binary"
)

// noteGoBuildID is the type of the note that the Go linker writes
// (cmd/link/internal/ld/elf.go, ELF_NOTE_GOBUILDID_TAG).
const noteGoBuildID = 4

// BuildID tells one build of a program from another, wherever its file is: what
// the Go toolchain wrote into it, "" when it was told not to. Stripping a file
// leaves it as it is but moves what is in the file, so a cache needs the size
// of the file as well.
func (b *Binary) BuildID() (id string) {
	if b.elf == nil {
		return ""
	}
	var err error
	defer func() {
		if err != nil {
			id = ""
		}
	}()
	defer guard(&err)()
	const header = 12 // lengths of name and content, type (elf(5))
	note := b.section(".note.go.buildid")
	if len(note) < header {
		return ""
	}
	name, size := binary.LittleEndian.Uint32(note), binary.LittleEndian.Uint32(note[4:])
	note, kind := note[header:], binary.LittleEndian.Uint32(note[8:])
	if kind != noteGoBuildID || name != 4 || uint64(name)+uint64(size) > uint64(len(note)) || !bytes.HasPrefix(note, []byte("Go\x00\x00")) {
		return ""
	}
	return string(note[name:][:size])
}
