package config

import (
	"encoding/json"
	"strings"
)

// Schema is the JSON schema (draft 2020-12) of vigil.yaml, for editors. It
// accepts what Load accepts, except that it cannot say how settings go together.
func Schema() []byte {
	root := schemaObject("")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "vigil.yaml"
	for _, s := range table {
		parts := strings.Split(s.key, ".")
		node := root
		for _, part := range parts[:len(parts)-1] {
			properties := node["properties"].(map[string]any)
			next, ok := properties[part].(map[string]any)
			if !ok {
				next = schemaObject(sectionDoc(part))
				next["type"] = []string{"object", "null"} // `debugger:` with nothing below it
				properties[part] = next
			}
			node = next
		}
		property := s.schema()
		property["default"] = s.jsonValue(s.defaultValue())
		node["properties"].(map[string]any)[s.name()] = property
	}
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		return nil // maps of strings and numbers always encode
	}
	return append(out, '\n')
}

func schemaObject(doc string) map[string]any {
	object := map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{}}
	if doc != "" {
		object["description"] = doc
	}
	return object
}

// sectionDoc is the manual of a section, "" for one inside another.
func sectionDoc(name string) string {
	for _, s := range sections {
		if s.name == name {
			return s.doc
		}
	}
	return ""
}

func (s *setting) schema() map[string]any {
	doc := s.doc
	if s.bounded() && s.kind != kindInt {
		doc += " From " + s.formatNumber(s.min) + " to " + s.formatNumber(s.max) + "."
	}
	property := map[string]any{"description": doc}
	if s.secret {
		property["writeOnly"] = true
	}
	switch s.kind {
	case kindBool:
		property["type"] = "boolean"
	case kindInt:
		property["type"] = "integer"
		property["minimum"], property["maximum"] = s.min, s.max
	case kindEnum:
		property["enum"] = s.values
	case kindDuration:
		property["type"], property["pattern"] = "string", durationPattern
	case kindSize:
		property["type"], property["pattern"] = "string", sizePattern
	case kindString:
		property["type"] = "string"
	case kindStrings:
		property["type"] = "array"
		property["items"] = map[string]any{"type": "string"}
	case kindJSON:
		property["type"] = "array"
		property["items"] = map[string]any{"type": "object"}
	case kindObjects:
		property["type"] = "array"
		item := schemaObject("")
		element := s.list.element()
		for i := range s.list.fields {
			f := &s.list.fields[i]
			field := f.schema()
			field["default"] = f.jsonValue(f.load(element))
			item["properties"].(map[string]any)[f.key] = field
		}
		property["items"] = item
	}
	return property
}
