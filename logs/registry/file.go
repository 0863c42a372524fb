package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/logs/internal/disk"
)

// fileVersion is the version of the format below; a file with another one is
// not read.
const fileVersion = 1

// content is the registry file.
type content struct {
	Version int `json:"version"`
	// Generation counts how often the file was written; see delta.
	Generation uint64 `json:"generation"`
	// Patterns are the configured paths that have been followed before, so that
	// a file that turns up between two runs is known to be new.
	Patterns []pattern `json:"patterns"`
	Files    []Entry   `json:"files"`
	// Memory is what others keep here, see Remember.
	Memory map[string]string `json:"memory,omitempty"`
}

// pattern is a configured path and when the files it leads to were last looked
// for.
type pattern struct {
	Path   string    `json:"path"`
	Looked time.Time `json:"looked"`
}

// encode is deterministic: patterns by name, files by identity.
func encode(c content) ([]byte, error) {
	c.Version = fileVersion
	slices.SortFunc(c.Patterns, func(a, b pattern) int { return strings.Compare(a.Path, b.Path) })
	slices.SortFunc(c.Files, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) })
	text, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode registry: %w", err)
	}
	return append(text, '\n'), nil
}

// decode reads what encode wrote and refuses everything that would make reading
// start at a wrong place.
func decode(text []byte) (content, error) {
	var c content
	if err := json.Unmarshal(text, &c); err != nil {
		return content{}, fmt.Errorf("not a registry: %w", err)
	}
	if c.Version != fileVersion {
		return content{}, fmt.Errorf("version %d, want %d", c.Version, fileVersion)
	}
	seen := make(map[string]bool, len(c.Files))
	for i, e := range c.Files {
		switch {
		case e.ID == "":
			return content{}, fmt.Errorf("files[%d]: no id", i)
		case seen[e.ID]:
			return content{}, fmt.Errorf("files[%d]: id %s appears twice", i, e.ID)
		case e.Offset < 0:
			return content{}, fmt.Errorf("files[%d]: offset %d is negative", i, e.Offset)
		case e.Fingerprint.Size < 0 || e.Fingerprint.Size > FingerprintSize:
			return content{}, fmt.Errorf("files[%d]: fingerprint of %d bytes", i, e.Fingerprint.Size)
		}
		seen[e.ID] = true
	}
	return c, nil
}

// CorruptError means that the registry file could not be understood.
type CorruptError struct {
	// Path is the registry file, Aside is where it was moved.
	Path, Aside string
	Err         error
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("offset registry %s is unusable (%v): kept as %s; files are read as if seen for the first time", e.Path, e.Err, e.Aside)
}

func (e *CorruptError) Unwrap() error { return e.Err }

// load reads the registry file. A missing file is empty content. A file that
// makes no sense is moved aside and reported as *CorruptError beside empty
// content; any other error means that the file could not be read.
func load(path string, now time.Time) (content, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return content{}, nil
	}
	if err != nil {
		return content{}, fmt.Errorf("read offset registry: %w", err)
	}
	c, err := decode(text)
	if err == nil {
		return c, nil
	}
	aside := fmt.Sprintf("%s.corrupt-%s", path, now.UTC().Format("20060102T150405.000000000"))
	if moveErr := os.Rename(path, aside); moveErr != nil {
		return content{}, fmt.Errorf("offset registry %s is unusable (%w) and cannot be moved aside: %w", path, err, moveErr)
	}
	return content{}, &CorruptError{Path: path, Aside: aside, Err: err}
}

// save replaces the registry file: after a crash at any point it holds either
// the old text or the new one.
func save(path string, text []byte) error {
	if err := disk.Replace(path, text); err != nil {
		return fmt.Errorf("write offset registry: %w", err)
	}
	return nil
}
