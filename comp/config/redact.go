package config

import (
	"encoding/json"
	"fmt"
	"io"
)

var (
	_ fmt.Formatter  = Config{}
	_ json.Marshaler = Config{}
)

// Redacted is a copy in which every secret that is set reads "********".
func (c Config) Redacted() Config {
	for _, s := range table {
		if s.secret && s.load(&c) != "" {
			s.store(&c, hidden)
		}
	}
	if c.Logs.APIKey != "" {
		c.Logs.APIKey = hidden
	}
	return c
}

// Format implements fmt.Formatter: every verb prints the YAML of the settings
// without secrets.
func (c Config) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, yamlOf(func(s *setting) any { return s.load(&c) }, nil)) // fmt keeps no errors
}

// MarshalJSON implements json.Marshaler: the settings by section, without
// secrets; durations and sizes as text.
func (c Config) MarshalJSON() ([]byte, error) {
	return json.Marshal(jsonTree(func(s *setting) any { return s.load(&c) }))
}
