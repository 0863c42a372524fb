package fallback

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/vigil-agent/vigil/logs/record"
)

// maxTails bounds the tag sets whose JSON is kept.
const maxTails = 1024

// encoder appends JSON arrays. Lines of one source share their tags, whose JSON is
// kept.
type encoder struct {
	maxBytes, maxEntries, maxEntry int
	tails                          map[string][]byte
	tags                           string
	tail                           []byte
	// cut and replaced count messages that were cut, and that were not UTF-8.
	cut, replaced uint64
}

// append appends as many of recs as a request may hold, one at least, and says
// how many.
func (e *encoder) append(dst []byte, recs []record.Record) (_ []byte, n int) {
	dst = append(dst, '[')
	for n < len(recs) && n < e.maxEntries {
		from := len(dst)
		if n > 0 {
			dst = append(dst, ',')
		}
		whole := recs[n].Message
		message := whole[:prefix(whole, e.maxEntry)]
		dst = e.entry(dst, &recs[n], message)
		if len(dst) >= e.maxBytes {
			if n > 0 {
				dst = dst[:from]
				break
			}
			// Escapes may make a message six times as long.
			for len(dst) >= e.maxBytes && len(message) > 0 {
				message = message[:prefix(message, len(message)/2)]
				dst = e.entry(dst[:from], &recs[n], message)
			}
		}
		if len(message) < len(whole) {
			e.cut++
		}
		if !utf8.Valid(message) {
			e.replaced++
		}
		n++
	}
	return append(dst, ']'), n
}

// prefix is the length of the longest beginning of message with at most n bytes
// that does not end in the middle of a rune.
func prefix(message []byte, n int) int {
	if len(message) <= n {
		return len(message)
	}
	for i := 0; i < utf8.UTFMax-1 && i < n; i++ {
		if utf8.RuneStart(message[n-i]) {
			return n - i
		}
	}
	return n
}

// entry appends one line.
func (e *encoder) entry(dst []byte, r *record.Record, message []byte) []byte {
	dst = append(dst, `{"message":`...)
	dst, _ = jsontext.AppendQuote(dst, message) // what is not UTF-8 becomes U+FFFD
	if r.Status != "" {
		dst = append(dst, `,"status":`...)
		dst, _ = jsontext.AppendQuote(dst, r.Status)
	}
	dst = append(dst, `,"timestamp":`...)
	dst = strconv.AppendInt(dst, r.Time, 10)
	if e.tail == nil || e.tags != r.Tags {
		e.tags, e.tail = r.Tags, e.tailOf(r.Tags)
	}
	return append(dst, e.tail...)
}

// tailOf is the part of an entry that its tags determine.
func (e *encoder) tailOf(tags string) []byte {
	if tail, known := e.tails[tags]; known {
		return tail
	}
	if e.tails == nil || len(e.tails) >= maxTails {
		e.tails = make(map[string][]byte)
	}
	tail := appendTail(nil, tags)
	e.tails[tags] = tail
	return tail
}

// ownFields are the tags that have a field of their own in an entry.
var ownFields = [...]string{"hostname", "service", "ddsource"}

func appendTail(dst []byte, tags string) []byte {
	var (
		fields [len(ownFields)]string
		rest   []string
	)
	for tag := range strings.SplitSeq(tags, ",") {
		own := false
		for i, name := range ownFields {
			if value, ok := strings.CutPrefix(tag, name+":"); ok && fields[i] == "" {
				fields[i], own = value, true
				break
			}
		}
		if !own && tag != "" {
			rest = append(rest, tag)
		}
	}
	for i, value := range fields {
		if value != "" {
			dst = append(append(append(dst, `,"`...), ownFields[i]...), `":`...)
			dst, _ = jsontext.AppendQuote(dst, value)
		}
	}
	if len(rest) > 0 {
		dst = append(dst, `,"ddtags":`...)
		dst, _ = jsontext.AppendQuote(dst, strings.Join(rest, ","))
	}
	return append(dst, '}')
}
