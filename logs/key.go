package logs

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// keyPoll is how often the key file is looked at. The stream asks for the key twice
// a second, so a new one is in use within a second.
const keyPoll = 250 * time.Millisecond

// maxKeyBytes bounds the key file: a larger one holds something else.
const maxKeyBytes = 4096

// ReadKey reads an API key from its file: the whole of it, without the white space
// around it. Errors read on after the name of the file and never show the content.
func ReadKey(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, maxKeyBytes+1))
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	key := strings.TrimSpace(string(text))
	switch {
	case key == "":
		return "", errors.New("is empty: write the API key into it")
	case len(text) > maxKeyBytes || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "", errors.New("does not hold an API key: write the key alone, in printable ASCII")
	}
	return key, nil
}

// keyFile is an API key that may change while the engine runs. A file that cannot
// be read leaves the key as it was.
type keyFile struct {
	path string
	log  *slog.Logger
	key  atomic.Pointer[string]
	stop chan struct{}
	run  sync.WaitGroup
	once sync.Once
}

// newKeyFile reads the key for the first time.
func newKeyFile(path string, log *slog.Logger) (*keyFile, error) {
	key, err := ReadKey(path)
	if err != nil {
		return nil, &FieldError{"api_key_file", err.Error()}
	}
	k := &keyFile{path: path, log: log, stop: make(chan struct{})}
	k.key.Store(&key)
	return k, nil
}

func (k *keyFile) Key() string { return *k.key.Load() }

// Start follows the file until Stop.
func (k *keyFile) Start() { k.run.Go(k.follow) }

// Stop is safe without Start and twice.
func (k *keyFile) Stop() {
	k.once.Do(func() { close(k.stop) })
	k.run.Wait()
}

func (k *keyFile) follow() {
	tick := time.NewTicker(keyPoll)
	defer tick.Stop()
	var seen os.FileInfo
	failed := false
	for {
		select {
		case <-k.stop:
			return
		case <-tick.C:
		}
		info, err := os.Stat(k.path)
		if err == nil && !failed && seen != nil && os.SameFile(info, seen) && info.ModTime().Equal(seen.ModTime()) && info.Size() == seen.Size() {
			continue
		}
		key, err := ReadKey(k.path)
		if err != nil {
			if !failed {
				k.log.Warn("the API key stays as it was: its file "+err.Error(), "path", k.path)
			}
			failed = true
			continue
		}
		seen, failed = info, false
		k.key.Store(&key)
	}
}
