package config

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// valueState is what became of a node.
type valueState int

const (
	valueBad   valueState = iota // reported
	valueUnset                   // nothing was written
	valueOK
)

// value reads one node as the kind of the setting; key is the path for messages.
func (d *decoder) value(s *setting, key string, node ast.Node) (any, valueState) {
	target, ok := d.resolve(key, node)
	if !ok {
		return nil, valueBad
	}
	if _, null := target.(*ast.NullNode); null {
		return nil, valueUnset
	}
	switch s.kind {
	case kindStrings:
		return d.strings(s, key, node, target)
	case kindObjects:
		return d.objects(s, key, node, target)
	case kindJSON:
		return d.json(s, key, node, target)
	}
	data, message, hint := scalar(s, target)
	if message == "" {
		message, hint = s.verify(data)
	}
	if message != "" {
		d.fail(key, node, message, hint)
		return nil, valueBad
	}
	return data, valueOK
}

// scalar reads a node without children.
func scalar(s *setting, node ast.Node) (data any, message, hint string) {
	text, isScalar := scalarText(node)
	got := describe(node)
	if s.secret {
		got = describeType(node)
	}
	if !isScalar {
		hint := ""
		if _, ok := node.(*ast.MappingNode); ok && s.kind == kindString {
			hint = `a text with ": " in it needs quotes`
		}
		return nil, "expected " + s.expects() + ", got " + got, hint
	}
	_, isText := stringValue(node)
	switch s.kind {
	case kindBool:
		if b, ok := node.(*ast.BoolNode); ok {
			return b.Value, "", ""
		}
		return nil, "expected " + s.expects() + ", got " + got, boolHint(text)
	case kindInt:
		if leadingZero.MatchString(text) {
			return nil, text + " starts with a zero", "write it without"
		}
		if _, ok := node.(*ast.IntegerNode); ok {
			if n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 0, 64); err == nil {
				return int(n), "", ""
			}
			return nil, text + " is no integer that fits", ""
		}
		_, err := strconv.Atoi(text)
		if errors.Is(err, strconv.ErrRange) {
			return nil, text + " is no integer that fits", ""
		}
		if err == nil {
			return nil, "expected " + s.expects() + ", got " + got, "remove the quotes"
		}
		return nil, "expected " + s.expects() + ", got " + got, ""
	case kindDuration, kindSize:
		return s.parseScalar(text)
	default:
		if !isText {
			hint := "put it in quotes"
			if !s.secret {
				hint += ": " + strconv.Quote(text)
			}
			return nil, "expected " + s.expects() + ", got " + got, hint
		}
		return text, "", ""
	}
}

// leadingZero are numbers that some take for octal and others do not.
var leadingZero = regexp.MustCompile(`^[+-]?0[0-9_]+$`)

func boolHint(text string) string {
	switch strings.ToLower(text) {
	case "yes", "on", "y", "1", "true":
		return "write true"
	case "no", "off", "n", "0", "false":
		return "write false"
	default:
		return ""
	}
}

// strings reads a list of texts.
func (d *decoder) strings(s *setting, key string, node, target ast.Node) (any, valueState) {
	list, ok := target.(*ast.SequenceNode)
	if !ok {
		hint := ""
		if text, ok := scalarText(target); ok {
			if items, err := s.split(text); err == nil && !s.secret {
				hint = "write " + flowList(items)
			}
		}
		d.fail(key, node, "expected "+s.expects()+", got "+describe(target), hint)
		return nil, valueBad
	}
	items, state := make([]string, 0, len(list.Values)), valueOK
	for i, item := range list.Values {
		at := fmt.Sprintf("%s[%d]", key, i)
		content, ok := d.resolve(at, item)
		if !ok {
			state = valueBad
			continue
		}
		text, isText := stringValue(content)
		if !isText {
			d.fail(at, item, "expected a string, got "+describe(content), itemHint(content))
			state = valueBad
			continue
		}
		d.parts[at] = d.place(item)
		items = append(items, text)
	}
	if state != valueOK {
		return nil, state
	}
	if message, hint := s.verify(items); message != "" {
		d.fail(key, node, message, hint)
		return nil, valueBad
	}
	return items, valueOK
}

// itemHint says how to write what should have been a string.
func itemHint(node ast.Node) string {
	var values []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	}
	if len(values) == 1 {
		name, isName := keyName(values[0].Key)
		text, isText := scalarText(values[0].Value)
		if isName && isText {
			return "write " + name + ":" + text + " without a space after the colon"
		}
	}
	if text, ok := scalarText(node); ok {
		return "put it in quotes: " + strconv.Quote(text)
	}
	return ""
}

// listHint is for an object where a list of them belongs.
const listHint = `start each object with "- "`

// objects reads a list of objects with a table of their own.
func (d *decoder) objects(s *setting, key string, node, target ast.Node) (any, valueState) {
	list, ok := target.(*ast.SequenceNode)
	if !ok {
		d.fail(key, node, "expected "+s.expects()+", got "+describe(target), listHint)
		return nil, valueBad
	}
	// An object with a mistake in it stays in the list without the mistake, so
	// that what can be said about the others is said in the same run.
	elements := make([]any, len(list.Values))
	for i, item := range list.Values {
		at := fmt.Sprintf("%s[%d]", key, i)
		d.parts[at] = d.place(item)
		elements[i] = d.object(s, at, item)
	}
	return elements, valueOK
}

func (d *decoder) object(s *setting, at string, item ast.Node) any {
	element := s.list.element()
	entries, _ := d.mapping(at, item, "an object")
	for _, e := range entries {
		key := join(at, e.name)
		field := s.list.field(e.name)
		if field == nil {
			d.fail(key, e.key, unknownKey, hintForField(e.name, s.list.names()))
			continue
		}
		if data, state := d.value(field, key, e.node); state == valueOK {
			d.parts[key] = d.place(e.node)
			put(field.at(element), data)
		}
	}
	return element
}

func hintForField(name string, known []string) string {
	if near := nearest(name, known); near != "" {
		return "did you mean " + near + "?"
	}
	return "known here: " + strings.Join(known, ", ")
}
