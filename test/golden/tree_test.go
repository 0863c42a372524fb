package golden

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// member is one key of an object with its value; objects are []member, so that
// the order of the keys is kept.
type member struct {
	key   string
	value any // []member, []any, string, json.Number, bool or nil
}

func parse(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return parseValue(d)
}

func parseValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object := []member{}
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := parseValue(d)
			if err != nil {
				return nil, err
			}
			object = append(object, member{key.(string), value})
		}
		_, err = d.Token()
		return object, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := parseValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = d.Token()
		return list, err
	}
	return token, nil
}

// get is the value of a path of keys, or nil.
func get(v any, path ...string) any {
	for _, key := range path {
		object, _ := v.([]member)
		v = nil
		for _, m := range object {
			if m.key == key {
				v = m.value
			}
		}
	}
	return v
}

// width is how long a line may be before the value is broken over several.
const width = 140

// render prints a value as JSON: on one line where it fits, and runs of equal
// elements once, with their number.
func render(v any, indent string) string {
	line := renderLine(v)
	if len(indent)+len(line) <= width {
		return line
	}
	var items []string
	opening, closing := "{", "}"
	switch v := v.(type) {
	case []member:
		for _, m := range v {
			items = append(items, quote(m.key)+": "+render(m.value, indent+"  "))
		}
	case []any:
		opening, closing = "[", "]"
		last, times := "", 0
		flush := func() {
			switch {
			case times > 1:
				items = append(items, fmt.Sprintf("%s × %d", last, times))
			case times == 1:
				items = append(items, last)
			}
		}
		for _, e := range v {
			if text := render(e, indent+"  "); text != last || times == 0 {
				flush()
				last, times = text, 1
			} else {
				times++
			}
		}
		flush()
	default:
		return line
	}
	return opening + "\n" + indent + "  " + strings.Join(items, ",\n"+indent+"  ") + "\n" + indent + closing
}

func renderLine(v any) string {
	var items []string
	switch v := v.(type) {
	case []member:
		for _, m := range v {
			items = append(items, quote(m.key)+": "+renderLine(m.value))
		}
		return "{" + strings.Join(items, ", ") + "}"
	case []any:
		for _, e := range v {
			items = append(items, renderLine(e))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case string:
		return quote(v)
	}
	return fmt.Sprint(v)
}

func quote(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // strings can always be written
	}
	return strings.TrimSuffix(b.String(), "\n")
}
