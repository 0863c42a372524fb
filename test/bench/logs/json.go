package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"

	"github.com/vigil-agent/vigil/logs/record"
)

// item is one log of an HTTP v2 body.
type item struct {
	Message   string `json:"message"`
	Status    string `json:"status"`
	Timestamp int64  `json:"timestamp"`
	Hostname  string `json:"hostname"`
	Service   string `json:"service"`
	Source    string `json:"ddsource"`
	Tags      string `json:"ddtags"`
}

// split takes a tag set apart into the fields of an item; join is its inverse
// for the tag sets of this benchmark, which start with these three.
func (i *item) split(tags string) {
	i.Tags = tags
	for _, field := range []struct {
		prefix string
		to     *string
	}{{"hostname:", &i.Hostname}, {"service:", &i.Service}, {"ddsource:", &i.Source}} {
		*field.to = ""
		first, rest, _ := strings.Cut(i.Tags, ",")
		if value, ok := strings.CutPrefix(first, field.prefix); ok {
			*field.to, i.Tags = value, rest
		}
	}
}

func (i *item) join() string {
	return "hostname:" + i.Hostname + ",service:" + i.Service + ",ddsource:" + i.Source + "," + i.Tags
}

// jsonWriter makes HTTP v2 bodies the way a careful client would: appending, and
// quoting what is the same for every line of a source once.
type jsonWriter struct {
	tags   string
	common []byte // the quoted fields made of tags
}

func (w *jsonWriter) append(dst []byte, recs []record.Record) []byte {
	dst = append(dst, '[')
	for i := range recs {
		r := &recs[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = quote(append(dst, `{"message":`...), r.Message)
		dst = quote(append(dst, `,"status":`...), r.Status)
		dst = strconv.AppendInt(append(dst, `,"timestamp":`...), r.Time, 10)
		if w.common == nil || w.tags != r.Tags {
			w.set(r.Tags)
		}
		dst = append(append(dst, w.common...), '}')
	}
	return append(dst, ']')
}

func (w *jsonWriter) set(tags string) {
	var i item
	i.split(tags)
	w.tags = tags
	w.common = quote(append(w.common[:0], `,"hostname":`...), i.Hostname)
	w.common = quote(append(w.common, `,"service":`...), i.Service)
	w.common = quote(append(w.common, `,"ddsource":`...), i.Source)
	w.common = quote(append(w.common, `,"ddtags":`...), i.Tags)
}

// quote appends a JSON string; bytes outside UTF-8 become U+FFFD.
func quote[T string | []byte](dst []byte, text T) []byte {
	dst, _ = jsontext.AppendQuote(dst, text) // its error tells of the replaced bytes
	return dst
}

// matchJSON decodes a body and compares it.
func matchJSON(body []byte, want []record.Record) (replaced int, err error) {
	var items []item
	if err := json.Unmarshal(body, &items); err != nil {
		return 0, fmt.Errorf("read the body: %w", err)
	}
	m := matcher{want: want, lossy: true}
	for i := range items {
		if err := m.match(items[i].Timestamp, items[i].Status, items[i].join(), []byte(items[i].Message)); err != nil {
			return 0, err
		}
	}
	return m.replaced, m.done()
}

// jsonCodec compresses every body on its own.
type jsonCodec struct {
	w    jsonWriter
	body []byte
	enc  *zstd.Encoder
	dec  *zstd.Decoder
}

func openJSON() (codec, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	return &jsonCodec{enc: enc, dec: dec}, err
}

func (c *jsonCodec) encode(dst []byte, recs []record.Record) ([]byte, error) {
	c.body = c.w.append(c.body[:0], recs)
	return c.enc.EncodeAll(c.body, dst), nil
}

func (c *jsonCodec) decode(data []byte, want []record.Record) (replaced int, err error) {
	if c.body, err = c.dec.DecodeAll(data, c.body[:0]); err != nil {
		return 0, err
	}
	return matchJSON(c.body, want)
}

func (*jsonCodec) state() int { return 0 }
