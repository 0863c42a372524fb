package rows

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// object is the JSON form of a structured log: the text is the value of one key,
// other keys come from a schema, which is a dictionary string of keys joined by
// commas. Our encoder never sends one, because it keeps meaning but not bytes.
type object struct {
	messageKey string
	hasMessage bool
	schema     uint64
	keys       string
	values     span // of batch.values, after the message's own
}

// readObject completes a log whose message is an object.
func (d *Decoder) readObject(l *parsedLog, o object, values [][]byte) error {
	if !o.hasMessage {
		return d.wrong("JSON schema without message key")
	}
	bt := &d.batch
	o.values.from = len(bt.values)
	for _, b := range values {
		v, err := d.readValue(b)
		if err != nil {
			return err
		}
		bt.values = append(bt.values, v)
	}
	o.values.to = len(bt.values)
	var keys []string
	if o.schema != 0 {
		text, ok := d.dict[o.schema]
		if !ok {
			return d.wrongID("unknown JSON schema", o.schema)
		}
		o.keys, keys = text, strings.Split(text, ",")
	}
	if len(keys) != len(values) {
		return d.wrongID("number of JSON values is not the schema's number of keys", o.schema)
	}
	sorted := slices.Sorted(slices.Values(append(keys, o.messageKey)))
	if len(slices.Compact(sorted)) != len(keys)+1 {
		return d.wrongID("JSON schema with a key twice", o.schema)
	}
	bt.objects = append(bt.objects, o)
	l.object = int32(len(bt.objects))
	return nil
}

// appendObject renders a log as a JSON object: the message key first, then the
// schema's keys in their order. Keys are taken literally, dots included; strings
// become JSON strings and numbers JSON numbers.
func (b *batch) appendObject(dst []byte, l *parsedLog) []byte {
	o := &b.objects[l.object-1]
	dst = appendQuoted(append(dst, '{'), o.messageKey)
	dst = append(dst, ':')
	dst = appendQuoted(dst, string(b.appendBody(nil, l)))
	values := b.values[o.values.from:o.values.to]
	if len(values) == 0 {
		return append(dst, '}')
	}
	rest := o.keys
	for i := range values {
		key, more, _ := strings.Cut(rest, ",")
		rest = more
		dst = appendQuoted(append(dst, ','), key)
		dst = append(dst, ':')
		switch v := &values[i]; v.kind {
		case textValue:
			dst = appendQuoted(dst, string(v.text))
		case dictValue:
			dst = appendQuoted(dst, v.dict)
		default:
			dst = v.append(dst)
		}
	}
	return append(dst, '}')
}

// appendQuoted appends a JSON string. Its only error is invalid UTF-8, which the
// decoder has refused already.
func appendQuoted(dst []byte, s string) []byte {
	dst, _ = jsontext.AppendQuote(dst, s)
	return dst
}
