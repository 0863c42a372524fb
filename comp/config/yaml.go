package config

import (
	"regexp"
	"slices"
	"strings"
)

// plain are texts that mean themselves in YAML without quotes, wherever they
// stand; some others would too, and are quoted all the same.
var plain = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./@*+-]*(:[A-Za-z0-9_./@*+-]+)*$`)

// words that YAML, in one version or another, takes for something else.
var reserved = []string{"true", "false", "null", "yes", "no", "on", "off", "y", "n"}

// scalarYAML writes a string of YAML.
func scalarYAML(text string) string {
	if plain.MatchString(text) && !slices.Contains(reserved, strings.ToLower(text)) {
		return text
	}
	return string(quoteJSON(text))
}

// flowList writes a list of strings in one line.
func flowList(items []string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = scalarYAML(item)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
