package config

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/debugger"
)

// outline writes settings as nested YAML: it opens each section once and leaves
// the line of the setting to entry, which gets the indentation.
func outline(settings []*setting, entry func(out *strings.Builder, indent string, s *setting)) string {
	var out strings.Builder
	var open []string
	for _, s := range settings {
		parts := strings.Split(s.key, ".")
		above := parts[:len(parts)-1]
		same := 0
		for same < len(open) && same < len(above) && open[same] == above[same] {
			same++
		}
		for i := same; i < len(above); i++ {
			out.WriteString(strings.Repeat("  ", i) + above[i] + ":\n")
		}
		open = above
		entry(&out, strings.Repeat("  ", len(above)), s)
	}
	return out.String()
}

// yamlOf writes all settings with their values; comment, when it is not nil,
// says what stands behind a value.
func yamlOf(value func(*setting) any, comment func(*setting) string) string {
	return outline(table, func(out *strings.Builder, indent string, s *setting) {
		note := ""
		if comment != nil {
			note = " # " + comment(s)
		}
		out.WriteString(indent + s.name() + ":" + s.blockYAML(value(s), indent, note))
	})
}

// blockYAML writes what follows the colon: one line, or one item per line for
// objects.
func (s *setting) blockYAML(data any, indent, note string) string {
	var items []string
	switch data := data.(type) {
	case []debugger.ProbeSource:
		for _, p := range data {
			items = append(items, string(p.JSON))
		}
	case []any:
		for _, element := range data {
			items = append(items, s.list.format(element))
		}
	default:
		text := s.format(data)
		if text == hidden {
			text = `"` + text + `"` // a plain * starts an alias
		}
		return " " + text + note + "\n"
	}
	if len(items) == 0 {
		return " []" + note + "\n"
	}
	return note + "\n" + indent + "  - " + strings.Join(items, "\n"+indent+"  - ") + "\n"
}

// jsonTree is the settings by section for encoding/json.
func jsonTree(value func(*setting) any) map[string]any {
	root := map[string]any{}
	for _, s := range table {
		parts := strings.Split(s.key, ".")
		node := root
		for _, part := range parts[:len(parts)-1] {
			next, ok := node[part].(map[string]any)
			if !ok {
				next = map[string]any{}
				node[part] = next
			}
			node = next
		}
		node[s.name()] = s.jsonValue(value(s))
	}
	return root
}

// jsonValue is a value as JSON shows it: durations and sizes as they are
// written, secrets hidden.
func (s *setting) jsonValue(data any) any {
	switch data := data.(type) {
	case string:
		if s.secret && data != "" {
			return hidden
		}
		return data
	case int:
		if s.kind == kindSize {
			return formatSize(data)
		}
		return data
	case time.Duration:
		return formatDuration(data)
	case []string:
		return append([]string{}, data...)
	case []debugger.ProbeSource:
		items := make([]json.RawMessage, len(data))
		for i, p := range data {
			items[i] = p.JSON
		}
		return items
	case []any:
		items := make([]map[string]any, len(data))
		for i, element := range data {
			items[i] = map[string]any{}
			for j := range s.list.fields {
				f := &s.list.fields[j]
				items[i][f.key] = f.jsonValue(f.load(element))
			}
		}
		return items
	default:
		return data
	}
}
