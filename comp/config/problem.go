package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with the configuration, and where.
type Problem struct {
	// Key is the setting it is about: "serverless.heartbeat_interval",
	// "logs.sources[1].path"; empty when it is about a file as a whole.
	Key string `json:"key,omitempty"`
	// File, Line and Column are the place; lines and columns count from 1, a
	// column is a character. File is empty for a value that no file holds, Line
	// is 0 for a file that could not be read.
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	// Origin names a place that is not a file: "environment variable DD_TAGS",
	// "flag site", "default".
	Origin string `json:"origin,omitempty"`
	// Excerpt is the line of the file and, under it, a caret; values of secrets
	// are masked.
	Excerpt string `json:"excerpt,omitempty"`
	// Message says what is wrong, Hint what to do about it.
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`

	cause error
}

// Error is the problem as a user reads it: place and message on the first line,
// then the excerpt, then the hint.
func (p Problem) Error() string {
	var b strings.Builder
	if where := p.where(); where != "" {
		b.WriteString(where + ": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	b.WriteString(p.Message)
	if p.Excerpt != "" {
		b.WriteString("\n" + p.Excerpt)
	}
	if p.Hint != "" {
		b.WriteString("\n    hint: " + p.Hint)
	}
	return b.String()
}

// Unwrap returns the error of the operating system for a file that could not be
// read, so that errors.Is(err, fs.ErrNotExist) works.
func (p Problem) Unwrap() error { return p.cause }

func (p Problem) where() string {
	switch {
	case p.File != "" && p.Line > 0:
		return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	case p.File != "":
		return p.File
	default:
		return p.Origin
	}
}

// Problems is everything that is wrong, sorted by file, line and column; values
// of the environment and of flags come last. It is the error of Load.
type Problems []Problem

// Error lists every problem.
func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i, problem := range p {
		texts[i] = problem.Error()
	}
	return strings.Join(texts, "\n")
}

// Unwrap makes each problem visible to errors.Is and errors.As.
func (p Problems) Unwrap() []error {
	errs := make([]error, len(p))
	for i, problem := range p {
		errs[i] = problem
	}
	return errs
}

// sorted orders problems by place and drops exact repetitions. The order of the
// files is the order in which they were read.
func (p Problems) sorted(files []string) Problems {
	rank := func(q Problem) int {
		if i := slices.Index(files, q.File); i >= 0 {
			return i
		}
		return len(files)
	}
	out := slices.Clone(p)
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Origin, b.Origin),
			cmp.Compare(a.Key, b.Key),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.CompactFunc(out, func(a, b Problem) bool { return a.Error() == b.Error() })
}
