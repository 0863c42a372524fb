// Package secret reads API keys from their files. No error shows what a file holds.
package secret

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// maxBytes bounds a key file: a larger one holds something else.
const maxBytes = 4096

// Keys reads the API keys in the file at path, one a line, without the white space
// around them. Errors read on after the name of the file.
func Keys(path string) ([]string, error) {
	// A pipe would wait for a writer, and could be read only once.
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	defer func() { _ = file.Close() }()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(errors.New("is not a regular file: a key is read from its file again and again"), err)
	}
	text, err := io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", err)
	}
	var keys []string
	for line := range strings.Lines(string(text)) {
		key := strings.TrimSpace(line)
		if len(text) > maxBytes || !sendable(key) {
			return nil, errors.New("does not hold an API key: write the key alone, in printable ASCII")
		}
		if key != "" {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("is empty: write the API key into it")
	}
	return keys, nil
}

// Key reads the first API key of a file: of several the one to send, while the
// receiving side still accepts those below it.
func Key(path string) (string, error) {
	keys, err := Keys(path)
	if err != nil {
		return "", err
	}
	return keys[0], nil
}

// sendable says whether a key consists of what a header carries without quoting.
func sendable(key string) bool {
	return !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
}
