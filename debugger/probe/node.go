package probe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// node is a JSON value that remembers where it was written.
type node struct {
	kind   jsontext.Kind
	offset int
	text   string   // the string's value, or the number's digits
	keys   []member // of an object, in the order written
	elems  []node   // of an array
}

type member struct {
	name   string
	offset int
	value  node
}

// says reports whether the value carries any meaning: null, "", [] and {} are
// ways of writing nothing.
func (n node) says() bool {
	switch n.kind {
	case 'n':
		return false
	case '"':
		return n.text != ""
	case '[':
		return len(n.elems) > 0
	case '{':
		return len(n.keys) > 0
	}
	return true
}

// maxNesting bounds the recursion of the reader; definitions nest a handful of
// levels, condition trees a few more.
const maxNesting = 200

// parseNode reads one JSON value that fills data.
func parseNode(data []byte) (node, error) {
	r := reader{data: data, dec: jsontext.NewDecoder(bytes.NewReader(data))}
	n, err := r.value(0)
	if err != nil {
		return node{}, err
	}
	end := r.next()
	if _, err := r.dec.ReadToken(); !errors.Is(err, io.EOF) {
		return node{}, &syntaxError{offset: end, message: "text after the end of the value"}
	}
	return n, nil
}

// syntaxError is text that is not JSON.
type syntaxError struct {
	offset  int
	message string
}

func (e *syntaxError) Error() string { return e.message }

type reader struct {
	data []byte
	dec  *jsontext.Decoder
}

// next is the offset of the token that follows.
func (r *reader) next() int {
	rest := r.data[r.dec.InputOffset():]
	return len(r.data) - len(bytes.TrimLeft(rest, " \t\r\n,:"))
}

func (r *reader) value(depth int) (node, error) {
	offset := r.next()
	if depth > maxNesting {
		return node{}, &syntaxError{offset, fmt.Sprintf("nested more than %d levels deep", maxNesting)}
	}
	tok, err := r.dec.ReadToken()
	if err != nil {
		return node{}, r.syntax(offset, err)
	}
	n := node{kind: tok.Kind(), offset: offset}
	switch n.kind {
	case '"', '0':
		n.text = tok.String()
	case '{':
		n.keys, err = r.members(depth)
	case '[':
		n.elems, err = r.elements(depth)
	}
	return n, err
}

func (r *reader) members(depth int) ([]member, error) {
	var out []member
	for {
		offset := r.next()
		tok, err := r.dec.ReadToken()
		if err != nil {
			return nil, r.syntax(offset, err)
		}
		if tok.Kind() == '}' {
			return out, nil
		}
		m := member{name: tok.String(), offset: offset}
		if m.value, err = r.value(depth + 1); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
}

func (r *reader) elements(depth int) ([]node, error) {
	var out []node
	for r.dec.PeekKind() != ']' {
		n, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	if _, err := r.dec.ReadToken(); err != nil {
		return nil, r.syntax(r.next(), err)
	}
	return out, nil
}

// syntax gives a decoder's error its place and the decoder's own words for it.
func (r *reader) syntax(offset int, err error) error {
	var syn *jsontext.SyntacticError
	switch {
	case errors.As(err, &syn) && errors.Is(syn.Err, jsontext.ErrDuplicateName):
		return &syntaxError{offset, "the key is written twice"}
	case errors.As(err, &syn) && errors.Is(syn.Err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return &syntaxError{len(r.data), "the text ends in the middle of a JSON value"}
	case errors.As(err, &syn):
		return &syntaxError{int(syn.ByteOffset), "not JSON: " + strings.TrimPrefix(syn.Err.Error(), "jsontext: ")}
	}
	return &syntaxError{offset, "not JSON: " + err.Error()}
}
