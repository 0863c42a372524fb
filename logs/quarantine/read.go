package quarantine

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// Read yields the lines of a quarantine file in the order they were put there. A
// line of the file that cannot be read is yielded as an error, which names it, and
// the next one follows; an error of the file itself is the last.
func Read(path string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(Entry{}, fmt.Errorf("quarantine: %w", err))
			return
		}
		defer func() { _ = f.Close() }() // it was only read
		lines := bufio.NewReader(f)
		for n := 1; ; n++ {
			line, err := lines.ReadBytes('\n')
			if len(bytes.TrimSpace(line)) > 0 && !isHeader(n, line) {
				e, wrong := parse(bytes.TrimSpace(line))
				if wrong != nil {
					wrong = fmt.Errorf("quarantine: %s:%d: %w", path, n, wrong)
				}
				if !yield(e, wrong) {
					return
				}
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Entry{}, fmt.Errorf("quarantine: read %s: %w", path, err))
				return
			}
		}
	}
}

func isHeader(n int, line []byte) bool {
	var h header
	return n == 1 && json.Unmarshal(line, &h) == nil && h.Replay != ""
}

// parse reads one entry; one without a message is not one.
func parse(line []byte) (Entry, error) {
	var e struct {
		Entry

		Message *[]byte `json:"message"`
	}
	if err := json.Unmarshal(line, &e); err != nil {
		return Entry{}, err
	}
	if e.Message == nil {
		return Entry{}, errors.New("it has no message, so it is no line in quarantine")
	}
	e.Entry.Message = *e.Message
	return e.Entry, nil
}
