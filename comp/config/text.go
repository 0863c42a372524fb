package config

import (
	"fmt"
	"strconv"
	"strings"
)

// readText reads the value of one setting from a flag or a VIGIL_ variable.
// name is the variable or the key, origin describes the place to a user.
func (l *loader) readText(s *setting, text, layer, name, origin string) {
	if s.secret {
		l.secrets = append(l.secrets, text)
	}
	at := place{origin: origin}
	if s.kind == kindObjects || s.kind == kindJSON {
		l.readTree(s, text, layer, name, at)
		return
	}
	data, message, hint := s.parseText(text)
	if message == "" {
		message, hint = s.verify(data)
	}
	if message != "" {
		l.failText(s.key, at, message, hint)
		return
	}
	l.assign(assignment{setting: s, data: data, layer: layer, at: at, name: name})
}

// readTree reads a list of objects from one text: a JSON array, which is YAML.
func (l *loader) readTree(s *setting, text, layer, name string, at place) {
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		l.failText(s.key, at, "expected a JSON array of objects", "write it like [{...}, {...}]")
		return
	}
	src := newSource(name, text)
	root, bad := parseYAML(text)
	if bad != nil {
		l.failAt(src, s.key, place{line: bad.line, column: bad.column, width: bad.width}, bad.message, bad.hint)
		return
	}
	d := newDecoder(l, src, layer, root)
	d.parts = map[string]place{}
	data, state := d.value(s, s.key, root)
	if state == valueOK {
		l.assign(assignment{setting: s, data: data, layer: layer, at: at, name: name, parts: d.parts})
	}
}

// parseText reads a value that is not a list of objects from one text.
func (s *setting) parseText(text string) (data any, message, hint string) {
	switch s.kind {
	case kindBool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Sprintf("expected %s, got %q", s.expects(), text), boolHint(text)
		}
		return b, "", ""
	case kindInt:
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, fmt.Sprintf("expected %s, got %q", s.expects(), text), ""
		}
		return n, "", ""
	case kindDuration, kindSize:
		return s.parseScalar(text)
	case kindStrings:
		items, err := s.split(text)
		if err != nil {
			return nil, err.Error(), ""
		}
		if items == nil {
			items = []string{}
		}
		return items, "", ""
	default:
		return text, "", ""
	}
}
