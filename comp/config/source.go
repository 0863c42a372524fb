package config

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// source is a text of settings, kept for excerpts.
type source struct {
	// name is the file, or the environment variable or flag the text is from.
	name  string
	lines []string
	// masks are the lines that may show only their first characters.
	masks map[int]int
}

func newSource(name, text string) *source {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line, "\r")
	}
	return &source{name: name, lines: lines, masks: maskLines(lines)}
}

// place is where something was written.
type place struct {
	// source is nil for a place that is not a file.
	source *source
	// line and column count from 1; width is in characters.
	line, column, width int
	// origin describes a place that is not a file.
	origin string
}

// String is "vigil.yaml:3:7", or the origin.
func (p place) String() string {
	if p.source == nil {
		return p.origin
	}
	return fmt.Sprintf("%s:%d:%d", p.source.name, p.line, p.column)
}

// clamp moves a position of the parser to one that exists: some of its errors
// point behind the last line, or at column 0.
func (s *source) clamp(line, column int) (int, int) {
	line = min(max(line, 1), len(s.lines))
	if line > 1 && line == len(s.lines) && s.lines[line-1] == "" {
		line-- // the empty text after the last line break is no line to a user
		column = utf8.RuneCountInString(s.lines[line-1]) + 1
	}
	return line, min(max(column, 1), utf8.RuneCountInString(s.lines[line-1])+1)
}

// maxExcerpt is how many characters of a long line are shown.
const maxExcerpt = 120

// excerpt is the line with a caret under the column.
func (s *source) excerpt(line, column, width int) string {
	text := []rune(s.lines[line-1])
	if cut, masked := s.masks[line-1]; masked {
		if column > cut {
			column, width = cut+1, len(hidden)
		}
		text = append(text[:cut:cut], []rune(hidden)...)
	}
	if start := column - 1 - maxExcerpt/2; len(text) > maxExcerpt && start > 0 {
		text = append([]rune("…"), text[start:]...)
		column -= start - 1
	}
	if len(text) > maxExcerpt {
		text = append(text[:maxExcerpt-1:maxExcerpt-1], '…')
	}
	width = min(max(width, 1), max(len(text)-column+1, 1))
	pad := make([]rune, 0, column)
	for i := range column - 1 {
		if i < len(text) && text[i] == '\t' {
			pad = append(pad, '\t')
		} else {
			pad = append(pad, ' ')
		}
	}
	for i, r := range text {
		if r != '\t' && !unicode.IsPrint(r) {
			text[i] = unicode.ReplacementChar
		}
	}
	number := fmt.Sprintf("%5d", line)
	return fmt.Sprintf("%s | %s\n%s | %s%s", number, string(text), strings.Repeat(" ", len(number)), string(pad), strings.Repeat("^", width))
}
