package rows

import "google.golang.org/protobuf/encoding/protowire"

// fields reads the fields of one message. Unlike a general protobuf parser it
// refuses what would be lost silently: unknown fields, a second occurrence of a
// field that is not repeated, and wire types other than the schema's.
type fields struct {
	rest []byte
	seen keySet
}

// field is one field: its key, and its value in num or in bytes.
type field struct {
	key   byte
	num   uint64
	bytes []byte
}

// keySet is a set of keys; all keys of the schema are below 64.
type keySet uint64

func (s keySet) has(key uint64) bool { return key < 64 && s>>key&1 != 0 }

// more reports whether there is another field.
func (r *fields) more() bool { return len(r.rest) > 0 }

// next reads a field, whose key must be in once, for fields that come at most
// once, or in many. What is wrong is said in words.
func (r *fields) next(once, many keySet) (f field, wrong string) {
	key, n := protowire.ConsumeVarint(r.rest)
	switch {
	case n < 0:
		return f, "a field is cut short"
	case r.seen.has(key):
		return f, "a field comes twice"
	case once.has(key):
		r.seen |= 1 << key
	case !many.has(key):
		return f, "a field is not in the schema"
	}
	f.key = byte(key)
	m := 0
	switch protowire.Type(key & 7) {
	case protowire.VarintType:
		f.num, m = protowire.ConsumeVarint(r.rest[n:])
	case protowire.Fixed64Type:
		f.num, m = protowire.ConsumeFixed64(r.rest[n:])
	default:
		f.bytes, m = protowire.ConsumeBytes(r.rest[n:])
	}
	if m < 0 {
		return f, "a field is cut short"
	}
	r.rest = r.rest[n+m:]
	return f, ""
}
