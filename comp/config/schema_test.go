package config

import (
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/require"
)

// validate checks a value against the keywords that Schema uses; a keyword that
// it does not know fails the test, so that none is ignored.
func validate(t *testing.T, schema map[string]any, value any, at string) []string {
	t.Helper()
	var bad []string
	fail := func(format string, args ...any) { bad = append(bad, at+": "+fmt.Sprintf(format, args...)) }
	for keyword, rule := range schema {
		switch keyword {
		case "description", "default", "writeOnly", "$schema", "title", "additionalProperties":
		case "type":
			if !hasType(rule, value) {
				fail("%v is not of type %v", value, rule)
			}
		case "enum":
			if !slices.Contains(rule.([]any), value) {
				fail("%v is not in %v", value, rule)
			}
		case "pattern":
			if text, ok := value.(string); ok && !regexp.MustCompile(rule.(string)).MatchString(text) {
				fail("%q does not match %v", text, rule)
			}
		case "minimum":
			if n, ok := value.(float64); ok && n < rule.(float64) {
				fail("%v is below %v", n, rule)
			}
		case "maximum":
			if n, ok := value.(float64); ok && n > rule.(float64) {
				fail("%v is above %v", n, rule)
			}
		case "items":
			list, _ := value.([]any)
			for i, item := range list {
				bad = append(bad, validate(t, rule.(map[string]any), item, fmt.Sprintf("%s[%d]", at, i))...)
			}
		case "properties":
			object, _ := value.(map[string]any)
			for name, member := range object {
				property, ok := rule.(map[string]any)[name].(map[string]any)
				switch {
				case ok:
					bad = append(bad, validate(t, property, member, join(at, name))...)
				case schema["additionalProperties"] == false:
					fail("unknown %s", name)
				}
			}
		default:
			require.Failf(t, "unknown keyword", "%s at %s", keyword, at)
		}
	}
	return bad
}

func hasType(rule, value any) bool {
	if list, ok := rule.([]any); ok {
		return slices.ContainsFunc(list, func(one any) bool { return hasType(one, value) })
	}
	switch v := value.(type) {
	case nil:
		return rule == "null"
	case bool:
		return rule == "boolean"
	case string:
		return rule == "string"
	case float64:
		return rule == "number" || rule == "integer" && v == math.Trunc(v)
	case []any:
		return rule == "array"
	default:
		return rule == "object"
	}
}

func check(t *testing.T, text string) []string {
	t.Helper()
	var schema map[string]any
	require.NoError(t, json.Unmarshal(Schema(), &schema))
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	require.NoError(t, err)
	var value any
	require.NoError(t, json.Unmarshal(asJSON, &value))
	return validate(t, schema, value, "")
}

func TestSchemaAcceptsTheExample(t *testing.T) {
	t.Parallel()
	require.Empty(t, check(t, string(Example())))
}

// TestSchemaAcceptsWhatLoads: an editor must not mark what vigil takes.
func TestSchemaAcceptsWhatLoads(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"all_sections", "units_good", "logs_intake", "insecure_remote", "precedence", "microvm_off", "flags"} {
		archive, err := txtar.ParseFile(filepath.Join("testdata", "load", name+".txtar"))
		require.NoError(t, err)
		i := slices.IndexFunc(archive.Files, func(f txtar.File) bool { return f.Name == "vigil.yaml" })
		require.Empty(t, check(t, string(archive.Files[i].Data)), name)
	}
	require.Empty(t, check(t, "serverless:\ndebugger:\n"), "sections with everything commented out")
}

func TestSchemaRejects(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"sit: x":                                       ": unknown sit",
		"site: 5":                                      "site: 5 is not of type string",
		"log_level: loud":                              "log_level: loud is not in [debug info warn error]",
		"tags: [5]":                                    "tags[0]: 5 is not of type string",
		"serverless: {enabled: 'yes'}":                 "serverless.enabled: yes is not of type boolean",
		"serverless: {user_app_port: 65536}":           "serverless.user_app_port: 65536 is above 65535",
		"serverless: {heartbeat_interval: '5'}":        `serverless.heartbeat_interval: "5" does not match ` + durationPattern,
		"logs: {batch: {max_bytes: 5 megabytes}}":      `logs.batch.max_bytes: "5 megabytes" does not match ` + sizePattern,
		"logs: {sources: [{pth: /a}]}":                 "logs.sources[0]: unknown pth",
		"logs: {sources: [{path: /a, start_at: now}]}": "logs.sources[0].start_at: now is not in [beginning end]",
		"debugger: {probes: [a]}":                      "debugger.probes[0]: a is not of type object",
		"logs: {batch: {max_lines: 0}}":                "logs.batch.max_lines: 0 is below 1",
	} {
		require.Equal(t, []string{want}, check(t, text), text)
	}
}
