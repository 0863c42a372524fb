package main

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/vigil-agent/vigil/logs/record"
)

// method is a row of the table: one way to put batches of records on a wire.
type method struct {
	name string
	// what says it in words, for -h.
	what string
	// metadata says whether time, status and tags travel too.
	metadata bool
	// open makes both ends of one stream.
	open func() (codec, error)
}

// codec is both ends of one stream. Batches are encoded and decoded in the same
// order; a batch may depend on every batch before it.
type codec interface {
	// encode appends the batch's bytes on the wire to dst.
	encode(dst []byte, recs []record.Record) ([]byte, error)
	// decode reads what encode appended and compares it with want. Some schemas
	// cannot carry bytes outside UTF-8: replaced is the number of lines that came
	// with U+FFFD instead.
	decode(data []byte, want []record.Record) (replaced int, err error)
	// state is what the receiver keeps between batches, in bytes.
	state() int
}

// methods are the rows of the table in their order.
func methods() []method {
	return []method{
		{"columns", "ours, negotiated: typed columns of values, one window for the life of the stream", true, openColumns},
		{"rows", "the public schema: patterns and dictionary, zstd per batch", true, openRows},
		{"json+zstd", "HTTP v2 JSON, zstd level 1 per batch", true, openJSON},
		{"json+window", "the same JSON through one zstd window for the life of the stream", true, openJSONWindow},
		{"raw+window", "the lines alone through such a window", false, openRawWindow},
	}
}

// names are those of the methods, the whole file's included.
func names() []string {
	var all []string
	for _, m := range methods() {
		all = append(all, m.name)
	}
	return append(all, xzMethod)
}

// matcher compares decoded records with the batch they were made from.
type matcher struct {
	want []record.Record
	next int
	// lossy says that bytes outside UTF-8 arrive as U+FFFD, one for each.
	lossy bool
	// replaced counts the lines to which that happened.
	replaced int
}

func (m *matcher) match(time int64, status, tags string, message []byte) error {
	if m.next == len(m.want) {
		return fmt.Errorf("line %d of %d: nothing was sent but %.200q arrived", m.next+1, len(m.want), message)
	}
	w := &m.want[m.next]
	m.next++
	expected := w.Message
	if m.lossy && !utf8.Valid(expected) {
		expected = validUTF8(expected)
		m.replaced++
	}
	switch {
	case !bytes.Equal(message, expected):
		return fmt.Errorf("line %d of %d: sent %.200q, got %.200q", m.next, len(m.want), expected, message)
	case time != w.Time || status != w.Status || tags != w.Tags:
		return fmt.Errorf("line %d of %d: sent time %d, status %q, tags %q; got %d, %q, %q",
			m.next, len(m.want), w.Time, w.Status, w.Tags, time, status, tags)
	}
	return nil
}

// done is the error when a batch ended early.
func (m *matcher) done() error {
	if m.next != len(m.want) {
		return fmt.Errorf("%d of %d lines arrived", m.next, len(m.want))
	}
	return nil
}

// validUTF8 is b with every byte that is no part of UTF-8 replaced by U+FFFD.
func validUTF8(b []byte) []byte { return []byte(string([]rune(string(b)))) }
