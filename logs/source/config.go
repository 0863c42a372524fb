package source

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/registry"
)

// Defaults and bounds of Config.
const (
	// DefaultMaxLine is what the Datadog intake accepts for one log (logs
	// specification, section 4): 1 MiB.
	DefaultMaxLine = 1 << 20
	// DefaultPoll bounds how late a line is read where the kernel does not report
	// changes, such as network file systems.
	DefaultPoll = time.Second
	// DefaultScan is how often names are looked up when nothing was reported.
	DefaultScan = 10 * time.Second
	// DefaultLinger is longer than a service takes to reopen its log after
	// rotation.
	DefaultLinger = time.Minute
	// DefaultMaxFiles bounds descriptors and goroutines.
	DefaultMaxFiles = 1024
)

// Config says which files are followed and how.
type Config struct {
	// Patterns are tried in order: a file that several match belongs to the first.
	Patterns []Pattern
	// MaxLine is the largest record in bytes; longer lines are cut.
	MaxLine int
	// Poll is the longest time between two looks at an idle file whose changes the
	// kernel does not report.
	Poll time.Duration
	// Scan is the longest time between two looks for files, and at an idle file
	// whose changes are reported. New names are seen at once where the kernel
	// reports them, and within Poll where it does not.
	Scan time.Duration
	// Linger is how long a renamed or deleted file is kept open after its last
	// line, for writers that have not noticed yet.
	Linger time.Duration
	// MaxFiles is how many files are open at once; others wait for their turn.
	MaxFiles int
	// PollOnly does without kernel notifications.
	PollOnly bool
}

// Pattern is one configured path.
type Pattern struct {
	// Path is absolute, a name or a pattern of filepath.Match: * and ? match
	// within one path element, [a-z] a character. Names that end in a suffix of
	// compressed files are not matched by a pattern, only by their full name.
	Path string
	// FromEnd starts after the last complete line of files that exist when the
	// pattern is followed for the first time. Later files are always read from
	// their beginning.
	FromEnd bool
	// Tags go on every line, before filename:.
	Tags []string
}

// Sink takes the lines of one file, in order. It keeps neither the slice nor the
// messages, whose memory is used again. It blocks for as long as there is no room;
// an error ends the reading of the file until the next start.
type Sink func(ctx context.Context, lines []record.Record) error

// Deps is what Files needs from its owner.
type Deps struct {
	// Registry must be started before Files and stopped after it.
	Registry *registry.Registry
	Sink     Sink
	// Log may be nil.
	Log *slog.Logger
}

// withDefaults fills what is zero and refuses what cannot work.
func (c Config) withDefaults() (Config, error) {
	orDefault(&c.Poll, DefaultPoll)
	orDefault(&c.Scan, DefaultScan)
	orDefault(&c.Linger, DefaultLinger)
	orDefault(&c.MaxLine, DefaultMaxLine)
	orDefault(&c.MaxFiles, DefaultMaxFiles)
	for i, p := range c.Patterns {
		if err := CheckPattern(p.Path); err != nil {
			return Config{}, fmt.Errorf("patterns[%d]: %w", i, err)
		}
	}
	return c, nil
}

func orDefault[T int | time.Duration](value *T, def T) {
	if *value <= 0 {
		*value = def
	}
}

// CheckPattern says what is wrong with a configured path.
func CheckPattern(path string) error {
	if path == "" {
		return errors.New("path is empty")
	}
	if _, err := filepath.Match(path, ""); err != nil {
		return fmt.Errorf("%q is not a valid pattern: a [ needs its ], and a literal one is written \\[", path)
	}
	if !filepath.IsAbs(path) {
		return fmt.Errorf("%q is not an absolute path", path)
	}
	return nil
}
