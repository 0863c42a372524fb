package journal

import (
	"encoding/base64"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/vigil-agent/vigil/logs/record"
)

// Line is one received log line.
type Line struct {
	// Record has Time, Status, Tags and Message; its Origin is not kept.
	record.Record
	// WireBytes is the line's share of the bytes of its batch on the wire.
	WireBytes float64
}

// formatter appends lines as JSON. Lines of one source share their tags, so the
// quoted form of the last tags is kept.
type formatter struct {
	tags   string
	quoted []byte
}

// append appends l with its line feed.
func (f *formatter) append(dst []byte, l *Line) []byte {
	dst = append(dst, `{"time":`...)
	dst = strconv.AppendInt(dst, l.Time, 10)
	dst = append(dst, `,"status":`...)
	dst = quote(dst, l.Status)
	dst = append(dst, `,"tags":`...)
	if f.quoted == nil || f.tags != l.Tags {
		f.tags, f.quoted = l.Tags, quote(f.quoted[:0], l.Tags)
	}
	dst = append(dst, f.quoted...)
	dst = appendMessage(dst, l.Message)
	dst = append(dst, `,"wire_bytes":`...)
	dst = appendHundredths(dst, l.WireBytes)
	return append(dst, "}\n"...)
}

// appendHundredths appends v, rounded, in its shortest form: 12, 12.3, 12.34.
func appendHundredths(dst []byte, v float64) []byte {
	n := int64(math.Round(v * 100))
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	dst = strconv.AppendInt(dst, n/100, 10)
	tenths, hundredths := byte(n%100/10), byte(n%10)
	if tenths|hundredths != 0 {
		dst = append(dst, '.', '0'+tenths)
	}
	if hundredths != 0 {
		dst = append(dst, '0'+hundredths)
	}
	return dst
}

// quote replaces bytes that are not UTF-8; only messages may hold such bytes.
func quote[T string | []byte](dst []byte, s T) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}

func appendMessage(dst, message []byte) []byte {
	from := len(dst)
	dst, err := jsontext.AppendQuote(append(dst, `,"message":`...), message)
	if err == nil {
		return dst
	}
	dst = append(dst[:from], `,"message_base64":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, message)
	return append(dst, '"')
}
