package probe

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxSource bounds one source of definitions, in bytes. A thousand generous
// definitions stay well under it.
const maxSource = 4 << 20

// Parse reads one definition, or a list of them, from JSON. where names the
// source in messages: a file name, to which line and column are added, or an
// exact place ("vigil.yaml:12:5") for a text that was taken from another file.
//
// The definitions without a problem are returned even when others have some;
// the error is then an *Error with all of them.
func Parse(where string, data []byte) ([]Definition, error) {
	c := &checker{src: source{where, data}}
	if len(data) > maxSource {
		c.problem(0, "", "is %d bytes long; at most %d are read", len(data), maxSource)
		return nil, &Error{c.problems}
	}
	root, err := parseNode(data)
	if err != nil {
		var syn *syntaxError
		if !errors.As(err, &syn) {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		c.problem(syn.offset, "", "%s", syn.message)
		return nil, &Error{c.problems}
	}
	list := []node{root}
	if root.kind == '[' {
		list = root.elems
	}
	var out []Definition
	seen := map[string]int{}
	for _, n := range list {
		before := len(c.problems)
		d := c.definition(n)
		if line, dup := seen[d.ID]; dup && d.ID != "" {
			c.problem(n.offset, "id", "is already used by another definition%s", onLine(line))
		}
		line, _ := c.src.position(n.offset)
		seen[d.ID] = line
		if len(c.problems) == before {
			out = append(out, d)
		}
	}
	if len(c.problems) > 0 {
		slices.SortStableFunc(c.problems, func(a, b Problem) int {
			return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		return out, &Error{c.problems}
	}
	return out, nil
}

func onLine(line int) string {
	if line == 0 {
		return ""
	}
	return fmt.Sprintf(" on line %d", line)
}

// definition reads and completes one definition.
func (c *checker) definition(n node) Definition {
	c.probe = idOf(n)
	d := draft{whereOffset: n.offset}
	before := len(c.problems)
	c.object("", c.handlers())(&d, "", n)
	if n.kind != '{' {
		return d.Definition
	}
	if d.ID == "" && c.clean(before, "id") {
		c.problem(n.offset, "id", "is missing: every probe needs one")
	}
	if !d.captureSnapshot && c.clean(before, "captureSnapshot") {
		c.problem(n.offset, "captureSnapshot", "must be true: log probes without a snapshot need a template, which is not supported by this version")
	}
	d.Function = c.function(&d, before)
	c.line(&d, before)
	d.Limits = d.Limits.OrDefaults()
	d.SnapshotsPerSecond = cmp.Or(d.SnapshotsPerSecond, DefaultSnapshotsPerSecond)
	d.Origin = c.src.where
	if line, column := c.src.position(n.offset); line > 0 {
		d.Origin = fmt.Sprintf("%s:%d:%d", c.src.where, line, column)
	}
	return d.Definition
}

// clean reports whether no problem since the given one is about the key or a
// part of it: a key that was refused is not also reported as missing.
func (c *checker) clean(since int, key string) bool {
	for _, p := range c.problems[since:] {
		if p.Key == key || strings.HasPrefix(p.Key, key+".") || p.Key == "" {
			return false
		}
	}
	return true
}

// function is the qualified name that methodName and typeName spell. Go has
// both in one name; a typeName of its own must not contradict it.
func (c *checker) function(d *draft, since int) string {
	switch {
	case !c.clean(since, "where"):
		return ""
	case d.methodName == "" && (d.File != "" || d.Line != 0):
		if d.typeName != "" {
			c.problem(d.whereOffset, "where.typeName", "goes with a methodName, and there is none")
		}
		return ""
	case d.methodName == "":
		c.problem(d.whereOffset, "where.methodName", `is missing: name the function as Go does, "main.handle" or "main.(*Server).Handle"`)
		return ""
	case d.typeName == "", strings.HasPrefix(d.methodName, d.typeName+"."):
		return d.methodName
	case !strings.ContainsAny(d.methodName, "./"):
		return d.typeName + "." + d.methodName
	}
	c.problem(d.whereOffset, "where.typeName", "%q is not the type of %q; leave it out, methodName is the qualified name", d.typeName, d.methodName)
	return ""
}

// line checks what a probe on a line needs.
func (c *checker) line(d *draft, since int) {
	switch {
	case !c.clean(since, "where"):
	case d.Line != 0 && d.File == "":
		c.problem(d.whereOffset, "where.sourceFile", "is missing: lines need the file they are in")
	case d.File != "" && d.Line == 0:
		c.problem(d.whereOffset, "where.lines", `is missing: name the line of the file, like ["42"]`)
	case d.Line != 0 && d.Returns:
		c.problem(d.exitOffset, "evaluateAt", `a line does not return; use "ENTRY", or leave out where.lines`)
	}
}

// idOf finds the id before the definition is checked, to name it in problems.
func idOf(n node) string {
	for _, m := range n.keys {
		if m.name == "id" && m.value.kind == '"' {
			return m.value.text
		}
	}
	return ""
}
