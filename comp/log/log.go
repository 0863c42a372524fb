// Package log builds the agent's one logger: structured, to standard error,
// so that standard output stays free for what a user asked to see.
package log

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Formats of the log.
const (
	FormatText = "text"
	FormatJSON = "json"
)

// Config says what is logged and how.
type Config struct {
	// Level is "debug", "info", "warn" or "error".
	Level string
	// Format is FormatText or FormatJSON; empty means text.
	Format string
	// Output receives the lines; required.
	Output io.Writer
}

// New returns a logger for c.
func New(c Config) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(strings.ToUpper(c.Level))); err != nil {
		return nil, fmt.Errorf("log_level: %q is not one of debug, info, warn, error: %w", c.Level, err)
	}
	options := &slog.HandlerOptions{Level: level}
	switch c.Format {
	case FormatJSON:
		return slog.New(slog.NewJSONHandler(c.Output, options)), nil
	case FormatText, "":
		return slog.New(slog.NewTextHandler(c.Output, options)), nil
	default:
		return nil, fmt.Errorf("log_format: %q is not one of %s, %s", c.Format, FormatText, FormatJSON)
	}
}
