package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/debugger"
)

// A value of a setting is carried as any: string (kindString, kindEnum), bool,
// int (kindInt, kindSize), time.Duration, []string, []any with pointers to
// elements (kindObjects), or []debugger.ProbeSource (kindJSON).

// put stores data in the field at a pointer.
func put(pointer, data any) { reflect.ValueOf(pointer).Elem().Set(reflect.ValueOf(data)) }

// store sets the setting's field of the configuration.
func (s *setting) store(root, data any) {
	switch data := data.(type) {
	case []any:
		s.list.store(s.at(root), data)
	case []string:
		put(s.at(root), slices.Clone(data))
	default:
		put(s.at(root), data)
	}
}

// load reads the setting's field of the configuration.
func (s *setting) load(root any) any {
	if s.kind == kindObjects {
		return s.list.load(s.at(root))
	}
	return reflect.ValueOf(s.at(root)).Elem().Interface()
}

// field is the setting of one name inside the objects of a list, or nil.
func (o *objectList) field(name string) *setting {
	for i := range o.fields {
		if o.fields[i].key == name {
			return &o.fields[i]
		}
	}
	return nil
}

func (o *objectList) names() []string {
	names := make([]string, len(o.fields))
	for i, f := range o.fields {
		names[i] = f.key
	}
	return names
}

// expects is what a message says the setting wants.
func (s *setting) expects() string {
	switch s.kind {
	case kindString:
		return "a string"
	case kindBool:
		return "true or false"
	case kindInt:
		return "an integer"
	case kindDuration:
		return "a duration such as 5s"
	case kindSize:
		return "a size such as 5MB"
	case kindEnum:
		return oneOf(s.values)
	case kindStrings:
		return "a list of strings"
	default:
		return "a list of objects"
	}
}

func oneOf(values []string) string {
	if len(values) == 1 {
		return values[0]
	}
	return "one of " + strings.Join(values, ", ")
}

// verify checks a value of the right type against bounds, allowed values, and
// the setting's own check. An empty message means that it is good.
func (s *setting) verify(data any) (message, hint string) {
	switch {
	case s.kind == kindEnum:
		if text := data.(string); !slices.Contains(s.values, text) {
			if near := nearest(text, s.values); near != "" {
				hint = "did you mean " + near + "?"
			}
			return fmt.Sprintf("expected %s, got %q", oneOf(s.values), text), hint
		}
	case s.bounded():
		switch n := number(data); {
		case n < s.min:
			return s.format(data) + " is below the minimum " + s.formatNumber(s.min), "allowed: " + s.formatRange()
		case n > s.max:
			return s.format(data) + " is above the maximum " + s.formatNumber(s.max), "allowed: " + s.formatRange()
		}
	}
	if s.check != nil {
		return s.check(data)
	}
	return "", ""
}

// number is the value of a bounded setting.
func number(data any) int64 {
	switch n := data.(type) {
	case time.Duration:
		return int64(n)
	case int:
		return int64(n)
	default:
		return 0
	}
}

// clamp moves a value to the nearest bound.
func (s *setting) clamp(data any) any {
	n := min(max(number(data), s.min), s.max)
	if s.kind == kindDuration {
		return time.Duration(n)
	}
	return int(n)
}

func (s *setting) formatNumber(n int64) string {
	switch s.kind {
	case kindDuration:
		return formatDuration(time.Duration(n))
	case kindSize:
		return formatSize(int(n))
	default:
		return strconv.FormatInt(n, 10)
	}
}

func (s *setting) formatRange() string {
	return s.formatNumber(s.min) + " to " + s.formatNumber(s.max)
}

// parseScalar reads a duration or a size.
func (s *setting) parseScalar(text string) (data any, message, hint string) {
	var err error
	if s.kind == kindDuration {
		data, err = parseDuration(text)
	} else {
		data, err = parseSize(text)
	}
	switch {
	case err == nil:
		return data, "", ""
	case errors.Is(err, errNoUnit):
		return nil, text + " has no unit", "add a unit, e.g. " + s.withUnit(text)
	case errors.Is(err, errNotUnits):
		return nil, fmt.Sprintf("expected %s, got %q", s.expects(), text), s.unitsHint()
	default:
		return nil, text + ": " + err.Error(), "allowed: " + s.formatRange()
	}
}

// withUnit guesses the unit that a bare number was meant in.
func (s *setting) withUnit(text string) string {
	n, err := strconv.Atoi(text)
	large := err == nil && n >= 1000
	switch {
	case s.kind == kindDuration && large:
		return text + "ms"
	case s.kind == kindDuration:
		return text + "s"
	case large:
		return formatSize(n)
	default:
		return text + "MB"
	}
}

func (s *setting) unitsHint() string {
	if s.kind == kindDuration {
		return "units: ns, us, ms, s, m, h"
	}
	return "units: B, KB, MB, GB (1000 each) and KiB, MiB, GiB (1024 each)"
}

// split reads a list of strings from one text.
func (s *setting) split(text string) ([]string, error) {
	if s.words != nil {
		return s.words(text)
	}
	return listWords(text)
}

// format writes a value as YAML in one line; secrets are hidden.
func (s *setting) format(data any) string {
	if s.secret {
		if text, ok := data.(string); ok && text == "" {
			return `""`
		}
		return hidden
	}
	switch data := data.(type) {
	case bool:
		return strconv.FormatBool(data)
	case int:
		return s.formatNumber(int64(data))
	case time.Duration:
		return formatDuration(data)
	case string:
		return scalarYAML(data)
	case []string:
		return flowList(data)
	case []debugger.ProbeSource:
		items := make([]string, len(data))
		for i, p := range data {
			items[i] = string(p.JSON)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case []any:
		items := make([]string, len(data))
		for i, element := range data {
			items[i] = s.list.format(element)
		}
		return "[" + strings.Join(items, ", ") + "]"
	default:
		return ""
	}
}

// format writes one object in one line, without the fields nobody set.
func (o *objectList) format(element any) string {
	var parts []string
	for i := range o.fields {
		f := &o.fields[i]
		if data := f.load(element); !reflect.ValueOf(data).IsZero() {
			parts = append(parts, f.key+": "+f.format(data))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
