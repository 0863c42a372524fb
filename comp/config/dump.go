package config

import (
	"encoding/json"
	"fmt"
	"io"
)

// DumpFormat is how Dump writes a configuration.
type DumpFormat int

const (
	// DumpYAML is the settings alone.
	DumpYAML DumpFormat = iota
	// DumpSources has, behind each value, a comment with where it comes from.
	DumpSources
)

// Dump writes the effective configuration as YAML that Load reads again;
// secrets are hidden.
func (l *Loaded) Dump(w io.Writer, format DumpFormat) error {
	var comment func(*setting) string
	if format == DumpSources {
		comment = l.origin
	}
	if _, err := io.WriteString(w, yamlOf(l.value, comment)); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

// MarshalJSON implements json.Marshaler: the settings by section, where each
// that has no default value comes from, the files and the warnings. Secrets are
// hidden.
func (l *Loaded) MarshalJSON() ([]byte, error) {
	origins := map[string]string{}
	for _, s := range table {
		if len(l.set[s.key]) > 0 {
			origins[s.key] = l.origin(s)
		}
	}
	return json.Marshal(struct {
		Config   map[string]any    `json:"config"`
		Origins  map[string]string `json:"origins"`
		Files    []string          `json:"files"`
		Warnings []Problem         `json:"warnings"`
	}{jsonTree(l.value), origins, append([]string{}, l.Files...), append([]Problem{}, l.Warnings...)})
}

// value is the effective value of a setting.
func (l *Loaded) value(s *setting) any {
	if all := l.set[s.key]; len(all) > 0 {
		return all[len(all)-1].data
	}
	return s.defaultValue()
}

// origin says where the effective value comes from.
func (l *Loaded) origin(s *setting) string {
	all := l.set[s.key]
	if len(all) == 0 {
		return layerDefault
	}
	return all[len(all)-1].describe()
}

// describe is the layer and the place of a value.
func (a assignment) describe() string {
	if a.layer == layerDerived {
		return "derived: " + a.at.String()
	}
	return a.at.String()
}

// defaultValue is what the setting is when nobody sets it.
func (s *setting) defaultValue() any {
	config := Default()
	return s.load(&config)
}
