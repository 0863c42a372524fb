package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"

	"github.com/go-json-experiment/json"

	"github.com/vigil-agent/vigil/logs/record"
)

// Read yields the lines of the journal at path in their order, those of the files
// that were put aside first; each line's message is its own. It ends with the first
// error, which names the line. Bytes after the last line feed are a line that is
// being written, or was torn by a crash, and are left out, and so are files that are
// removed meanwhile because the journal has reached its bound.
func Read(path string) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		for _, name := range append(segments(path), path) {
			if _, err := os.Stat(name); name != path && errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if !readFile(name, yield) {
				return
			}
		}
	}
}

// readFile yields the lines of one file and says whether to go on.
func readFile(path string, yield func(Line, error) bool) bool {
	f, err := os.Open(path)
	if err != nil {
		yield(Line{}, fmt.Errorf("read journal: %w", err))
		return false
	}
	defer func() { _ = f.Close() }()
	in := bufio.NewReaderSize(f, 1<<16)
	for n := 1; ; n++ {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return true
		}
		var l Line
		if err == nil {
			l, err = parse(text)
		}
		if err != nil {
			yield(Line{}, fmt.Errorf("read journal: %s:%d: %w", path, n, err))
			return false
		}
		if !yield(l, nil) {
			return false
		}
	}
}

// parse reads one line of a journal.
func parse(text []byte) (Line, error) {
	var v struct {
		Time          int64   `json:"time"`
		Status        string  `json:"status"`
		Tags          string  `json:"tags"`
		Message       string  `json:"message"`
		MessageBase64 []byte  `json:"message_base64"`
		WireBytes     float64 `json:"wire_bytes"`
	}
	if err := json.Unmarshal(bytes.TrimSuffix(text, []byte("\n")), &v); err != nil {
		return Line{}, fmt.Errorf("not a journal line: %w", err)
	}
	message := []byte(v.Message)
	if v.MessageBase64 != nil {
		message = v.MessageBase64
	}
	return Line{Record: record.Record{Time: v.Time, Status: v.Status, Tags: v.Tags, Message: message}, WireBytes: v.WireBytes}, nil
}
