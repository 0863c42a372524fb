// Package schemacheck holds documents against the schema of snapshots, for tests
// of everything that produces them.
package schemacheck

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/vigil-agent/vigil/debugger/snapshot"
)

// Validate checks that the text is one strict JSON value, without a key twice,
// that the schema allows. The error names the place in the document.
func Validate(text []byte) error {
	if !jsontext.Value(text).IsValid() {
		return fmt.Errorf("not valid JSON, or a key twice: %s", text)
	}
	v, err := schema()
	if err != nil {
		return err
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("read document: %w", err)
	}
	return v.validate(v.root, doc, "$")
}

// validator checks a document against the part of JSON Schema (2020-12) that
// schema.json uses; a keyword it does not know is an error, so nothing in the
// schema goes unchecked.
type validator struct {
	root     map[string]any
	patterns map[string]*regexp.Regexp
}

var schema = sync.OnceValues(func() (validator, error) {
	v := validator{patterns: map[string]*regexp.Regexp{}}
	err := json.Unmarshal(snapshot.Schema(), &v.root)
	for _, p := range regexp.MustCompile(`"pattern": "([^"]*)"`).FindAllSubmatch(snapshot.Schema(), -1) {
		v.patterns[string(p[1])] = regexp.MustCompile(string(p[1]))
	}
	return v, err
})

func (v validator) validate(s map[string]any, doc any, at string) error {
	for keyword, arg := range s {
		if err := v.keyword(keyword, arg, s, doc, at); err != nil {
			return err
		}
	}
	return nil
}

func (v validator) keyword(keyword string, arg any, s map[string]any, doc any, at string) error {
	object, isObject := doc.(map[string]any)
	switch keyword {
	case "$schema", "$id", "$defs", "title", "description":
	case "$ref":
		name := strings.TrimPrefix(arg.(string), "#/$defs/")
		return v.validate(v.root["$defs"].(map[string]any)[name].(map[string]any), doc, at)
	case "type":
		if !isType(doc, arg.(string)) {
			return fmt.Errorf("%s is not of type %s", at, arg)
		}
	case "const":
		if doc != arg {
			return fmt.Errorf("%s is %v, not %v", at, doc, arg)
		}
	case "enum":
		if !slices.Contains(arg.([]any), doc) {
			return fmt.Errorf("%s: %v is not one of %v", at, doc, arg)
		}
	case "pattern":
		if !v.patterns[arg.(string)].MatchString(doc.(string)) {
			return fmt.Errorf("%s: %q does not match %s", at, doc, arg)
		}
	case "minLength":
		if len(doc.(string)) < int(arg.(float64)) {
			return fmt.Errorf("%s is too short", at)
		}
	case "minimum":
		if doc.(float64) < arg.(float64) {
			return fmt.Errorf("%s: %v is less than %v", at, doc, arg)
		}
	case "minItems":
		if len(doc.([]any)) < int(arg.(float64)) {
			return fmt.Errorf("%s has too few items", at)
		}
	case "maxItems":
		if len(doc.([]any)) > int(arg.(float64)) {
			return fmt.Errorf("%s has too many items", at)
		}
	case "minProperties":
		if len(object) < int(arg.(float64)) {
			return fmt.Errorf("%s has too few keys", at)
		}
	case "maxProperties":
		if len(object) > int(arg.(float64)) {
			return fmt.Errorf("%s has too many keys", at)
		}
	case "required":
		for _, k := range arg.([]any) {
			if _, ok := object[k.(string)]; isObject && !ok {
				return fmt.Errorf("%s has no %s", at, k)
			}
		}
	case "properties":
		for k, sub := range arg.(map[string]any) {
			if value, ok := object[k]; ok {
				if err := v.validate(sub.(map[string]any), value, at+"."+k); err != nil {
					return err
				}
			}
		}
	case "additionalProperties":
		known, _ := s["properties"].(map[string]any)
		for k, value := range object {
			if _, ok := known[k]; ok {
				continue
			}
			if arg == false {
				return fmt.Errorf("%s has the unknown key %s", at, k)
			}
			if err := v.validate(arg.(map[string]any), value, at+"."+k); err != nil {
				return err
			}
		}
	case "items":
		for i, item := range doc.([]any) {
			if err := v.validate(arg.(map[string]any), item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
	case "anyOf":
		var first error
		for _, sub := range arg.([]any) {
			err := v.validate(sub.(map[string]any), doc, at)
			if err == nil {
				return nil
			}
			if first == nil {
				first = err
			}
		}
		return fmt.Errorf("%s matches none of the alternatives; the first: %w", at, first)
	case "dependentRequired":
		for k, needs := range arg.(map[string]any) {
			if _, ok := object[k]; !ok {
				continue
			}
			for _, need := range needs.([]any) {
				if _, ok := object[need.(string)]; !ok {
					return fmt.Errorf("%s has %s without %s", at, k, need)
				}
			}
		}
	default:
		return fmt.Errorf("the validator does not know the keyword %s", keyword)
	}
	return nil
}

func isType(doc any, name string) bool {
	switch d := doc.(type) {
	case map[string]any:
		return name == "object"
	case []any:
		return name == "array"
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && d == math.Trunc(d)
	}
	return name == "null"
}
