package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/vigil-agent/vigil/debugger"
)

// json reads a list of objects of any shape, each with its place. The order of
// keys is kept; numbers stay as exact as they were written.
func (d *decoder) json(s *setting, key string, node, target ast.Node) (any, valueState) {
	list, ok := target.(*ast.SequenceNode)
	if !ok {
		d.fail(key, node, "expected "+s.expects()+", got "+describe(target), listHint)
		return nil, valueBad
	}
	probes, state := make([]debugger.ProbeSource, 0, len(list.Values)), valueOK
	for i, item := range list.Values {
		at := fmt.Sprintf("%s[%d]", key, i)
		content, ok := d.resolve(at, item)
		if !ok {
			state = valueBad
			continue
		}
		switch content.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
		default:
			d.fail(at, item, "expected an object, got "+describe(content), "")
			state = valueBad
			continue
		}
		var out bytes.Buffer
		if !d.appendJSON(&out, at, item) {
			state = valueBad
			continue
		}
		d.parts[at] = d.place(item)
		probes = append(probes, debugger.ProbeSource{JSON: out.Bytes(), Where: d.place(item).String()})
	}
	return probes, state
}

// appendJSON writes a node as JSON and says whether it could; what it could not
// is reported.
func (d *decoder) appendJSON(out *bytes.Buffer, key string, node ast.Node) bool {
	target, ok := d.resolve(key, node)
	if !ok || !d.enter(key, node, target) {
		return false
	}
	defer delete(d.open, target)
	d.parts[key] = d.place(node)
	if text, isText := stringValue(target); isText {
		if t := target.GetToken(); t.Type == token.StringType && numberSyntax.MatchString(text) {
			out.WriteString(text)
			return true
		}
		out.Write(quoteJSON(text))
		return true
	}
	switch n := target.(type) {
	case *ast.NullNode:
		out.WriteString("null")
	case *ast.BoolNode:
		out.WriteString(strconv.FormatBool(n.Value))
	case *ast.IntegerNode, *ast.FloatNode:
		number, err := jsonNumber(n.GetToken().Value)
		if err != nil {
			d.fail(key, node, err.Error(), "put it in quotes to make it a string")
			return false
		}
		out.WriteString(number)
	case *ast.SequenceNode:
		return d.appendArray(out, key, n)
	case *ast.MappingNode, *ast.MappingValueNode:
		return d.appendObject(out, key, node)
	default:
		d.fail(key, node, "JSON has no way to write "+describe(target), "put it in quotes to make it a string")
		return false
	}
	return true
}

func (d *decoder) appendArray(out *bytes.Buffer, key string, list *ast.SequenceNode) bool {
	good := true
	out.WriteByte('[')
	for i, item := range list.Values {
		if i > 0 {
			out.WriteByte(',')
		}
		good = d.appendJSON(out, fmt.Sprintf("%s[%d]", key, i), item) && good
	}
	out.WriteByte(']')
	return good
}

func (d *decoder) appendObject(out *bytes.Buffer, key string, node ast.Node) bool {
	before := len(d.loader.problems)
	entries, good := d.mapping(key, node, "an object")
	out.WriteByte('{')
	for i, e := range entries {
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(quoteJSON(e.name))
		out.WriteByte(':')
		good = d.appendJSON(out, join(key, e.name), e.node) && good
	}
	out.WriteByte('}')
	return good && len(d.loader.problems) == before
}

// numberSyntax is that of JSON (RFC 8259, 6). The parser takes some numbers for
// text: those with an exponent, and those that do not fit into 64 bits.
var numberSyntax = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

var errNotJSONNumber = errors.New("JSON has no such number")

// jsonNumber turns a number of YAML into one of JSON: underscores, leading
// zeros, a plus sign and other bases are not JSON.
func jsonNumber(text string) (string, error) {
	text = strings.TrimPrefix(strings.ReplaceAll(strings.TrimSpace(text), "_", ""), "+")
	if json.Valid([]byte(text)) {
		return text, nil
	}
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return strconv.FormatInt(n, 10), nil
	}
	if n, err := strconv.ParseUint(text, 0, 64); err == nil {
		return strconv.FormatUint(n, 10), nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return "", errNotJSONNumber
	}
	out, err := json.Marshal(f)
	if err != nil {
		return "", errNotJSONNumber
	}
	return string(out), nil
}

// quoteJSON writes a string of JSON without the escapes that only HTML needs.
// It is YAML too.
func quoteJSON(text string) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(text); err != nil {
		return []byte(`""`) // a string always encodes
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}
