package probe

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// draft is a definition while it is being read.
type draft struct {
	Definition
	captureSnapshot      bool
	methodName, typeName string
	whereOffset          int
	exitOffset           int // of evaluateAt, when it is EXIT
}

// handler takes the value of one key.
type handler func(d *draft, key string, v node)

// checker collects the problems of one source.
type checker struct {
	src      source
	probe    string
	problems []Problem
}

func (c *checker) problem(offset int, key, format string, args ...any) {
	line, column := c.src.position(offset)
	c.problems = append(c.problems, Problem{
		Where: c.src.where, Line: line, Column: column,
		Probe: c.probe, Key: key, Message: fmt.Sprintf(format, args...),
	})
}

// object reads an object whose keys the handlers know; name is its dotted
// path, empty for the definition itself.
func (c *checker) object(name string, handlers map[string]handler) handler {
	return func(d *draft, key string, v node) {
		if v.kind != '{' {
			c.problem(v.offset, key, "must be an object, not %s", describe(v))
			return
		}
		for _, m := range v.keys {
			path := m.name
			if name != "" {
				path = name + "." + m.name
			}
			if h, ok := handlers[m.name]; ok {
				if m.value.kind != 'n' {
					h(d, path, m.value)
				}
				continue
			}
			if what, ok := unsupported[name][m.name]; ok {
				if m.value.says() {
					c.problem(m.offset, path, "%s are not supported by this version; remove the key", what)
				}
				continue
			}
			known := slices.Collect(maps.Keys(handlers))
			known = slices.AppendSeq(known, maps.Keys(unsupported[name]))
			c.problem(m.offset, path, "unknown key%s", didYouMean(m.name, known))
		}
	}
}

func (c *checker) text(field func(*draft) *string) handler {
	return func(d *draft, key string, v node) {
		if v.kind != '"' {
			c.problem(v.offset, key, "must be a string, not %s", describe(v))
			return
		}
		*field(d) = v.text
	}
}

func (c *checker) flag(field func(*draft) *bool) handler {
	return func(d *draft, key string, v node) {
		if v.kind != 't' && v.kind != 'f' {
			c.problem(v.offset, key, "must be true or false, not %s", describe(v))
			return
		}
		*field(d) = v.kind == 't'
	}
}

func (c *checker) count(field func(*draft) *int, low, high int) handler {
	return func(d *draft, key string, v node) {
		n, err := strconv.Atoi(v.text)
		switch {
		case v.kind != '0' || err != nil:
			c.problem(v.offset, key, "must be a whole number, not %s", describe(v))
		case n < low || n > high:
			c.problem(v.offset, key, "must be between %d and %d, not %d", low, high, n)
		default:
			*field(d) = n
		}
	}
}

func (c *checker) rate(d *draft, key string, v node) {
	f, err := strconv.ParseFloat(v.text, 64)
	switch {
	case v.kind != '0' || err != nil:
		c.problem(v.offset, key, "must be a number, not %s", describe(v))
	case f < 0 || f > MaxSnapshotsPerSecond:
		c.problem(v.offset, key, "must be between 0 (the default, %d) and %d, not %s", DefaultSnapshotsPerSecond, MaxSnapshotsPerSecond, v.text)
	default:
		d.SnapshotsPerSecond = f
	}
}

func (c *checker) tags(d *draft, key string, v node) {
	if v.kind != '[' {
		c.problem(v.offset, key, "must be a list of strings, not %s", describe(v))
		return
	}
	for i, e := range v.elems {
		if e.kind != '"' {
			c.problem(e.offset, key+"["+strconv.Itoa(i)+"]", "must be a string, not %s", describe(e))
			continue
		}
		d.Tags = append(d.Tags, e.text)
	}
}

func (c *checker) kindOfProbe(_ *draft, key string, v node) {
	if what, ok := otherTypes[v.text]; ok && v.kind == '"' {
		c.problem(v.offset, key, "%s are not supported by this version; it executes %q", what, typeLogProbe)
		return
	}
	if v.kind != '"' || v.text != typeLogProbe {
		known := append(slices.Collect(maps.Keys(otherTypes)), typeLogProbe)
		c.problem(v.offset, key, "must be %q, not %s%s", typeLogProbe, describe(v), didYouMean(v.text, known))
	}
}

func (c *checker) language(_ *draft, key string, v node) {
	if v.kind != '"' || !strings.EqualFold(v.text, "go") {
		c.problem(v.offset, key, `must be "go", not %s`, describe(v))
	}
}

func (c *checker) evaluateAt(d *draft, key string, v node) {
	switch {
	case v.kind == '"' && slices.Contains([]string{"", "DEFAULT", "ENTRY"}, v.text):
	case v.kind == '"' && v.text == "EXIT":
		d.Returns, d.exitOffset = true, v.offset
	default:
		c.problem(v.offset, key, `must be "ENTRY", "EXIT" or "DEFAULT", not %s`, describe(v))
	}
}

// lines takes a list with the one line of a probe, a string as the format has it.
func (c *checker) lines(d *draft, key string, v node) {
	switch {
	case v.kind != '[':
		c.problem(v.offset, key, `must be a list with one line, like ["42"], not %s`, describe(v))
	case len(v.elems) == 0:
	case len(v.elems) > 1:
		c.problem(v.offset, key, "holds %d lines; a probe is on one: write a definition for each", len(v.elems))
	default:
		line, err := strconv.Atoi(v.elems[0].text)
		if k := v.elems[0].kind; k != '"' && k != '0' || err != nil || line <= 0 || line > maxLine {
			c.problem(v.elems[0].offset, key+"[0]", `must be the number of a line, like "42", not %s`, describe(v.elems[0]))
			return
		}
		d.Line = line
	}
}

// maxLine is the largest line of a Go position (cmd/internal/src, lineBits).
const maxLine = 1<<20 - 1

// describe is a value in an error message.
func describe(v node) string {
	switch v.kind {
	case '"':
		return strconv.Quote(v.text)
	case '0':
		return v.text
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 't':
		return "true"
	case 'f':
		return "false"
	}
	return "null"
}
