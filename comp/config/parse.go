package config

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of what is read as configuration. They are far above any real file and
// keep a wrong path, such as a log file, from being parsed for minutes.
const (
	maxFileBytes = 1 << 20
	maxLineBytes = 1 << 16
	maxNesting   = 100
)

// syntaxError is a text that is not YAML, and where.
type syntaxError struct {
	line, column, width int
	message, hint       string
}

// parseYAML returns the root node of the only document, nil for an empty text.
func parseYAML(text string) (root ast.Node, bad *syntaxError) {
	if bad := checkText(text); bad != nil {
		return nil, bad
	}
	if bad := checkLines(text); bad != nil {
		return nil, bad
	}
	defer func() {
		// The parser is fed with whatever a user saved; its defects are not
		// the user's.
		if r := recover(); r != nil {
			root, bad = nil, &syntaxError{line: 1, column: 1, width: 1, message: "not understood as YAML"}
		}
	}()
	tokens := lexer.Tokenize(strings.TrimPrefix(text, "\ufeff"))
	if bad := checkNesting(tokens); bad != nil {
		return nil, bad
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, fromParser(err)
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if root != nil {
			at := start(doc.Body)
			return nil, &syntaxError{
				line: at.line, column: at.column, width: 1,
				message: "a second YAML document starts here",
				hint:    "keep one document per file; conf.d/*.yaml holds further ones",
			}
		}
		root = doc.Body
	}
	return root, nil
}

// checkText finds bytes that are not text.
func checkText(text string) *syntaxError {
	line, column := 1, 1
	for i, r := range text {
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			return &syntaxError{line: line, column: column, width: 1, message: "not UTF-8 text", hint: "save the file as UTF-8"}
		case r == 0:
			return &syntaxError{line: line, column: column, width: 1, message: "a NUL byte", hint: "this is not a text file"}
		case r == '\n':
			line, column = line+1, 0
		}
		column++
	}
	return nil
}

// checkLines refuses lines on which the lexer would spend minutes: it is
// quadratic in the length of some.
func checkLines(text string) *syntaxError {
	number := 0
	for line := range strings.SplitSeq(text, "\n") {
		number++
		if len(line) > maxLineBytes {
			return &syntaxError{line: number, column: 1, width: 1, message: "a line longer than " + formatSize(maxLineBytes)}
		}
		depth, column := 0, 1
		for rest := line; ; depth++ {
			trimmed := strings.TrimLeft(rest, " \t")
			column += len(rest) - len(trimmed)
			if len(trimmed) < 2 || !strings.ContainsRune("-?:", rune(trimmed[0])) || trimmed[1] != ' ' {
				break
			}
			if depth == maxNesting {
				return tooDeep(number, column)
			}
			rest = trimmed[1:]
			column++
		}
	}
	return nil
}

func tooDeep(line, column int) *syntaxError {
	return &syntaxError{line: line, column: column, width: 1, message: fmt.Sprintf("nested deeper than %d levels", maxNesting)}
}

// checkNesting refuses what would make the recursive parser use up its stack.
func checkNesting(tokens token.Tokens) *syntaxError {
	flow := 0
	for _, t := range tokens {
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			if flow++; flow > maxNesting {
				return tooDeep(t.Position.Line, t.Position.Column)
			}
		case token.SequenceEndType, token.MappingEndType:
			flow = max(flow-1, 0)
		}
	}
	return nil
}

// fromParser turns an error of the parser, which calls things by the names of
// the YAML standard, into words for people.
func fromParser(err error) *syntaxError {
	bad := &syntaxError{line: 1, column: 1, width: 1, message: "not YAML: " + err.Error()}
	var at yaml.Error
	if !errors.As(err, &at) {
		return bad
	}
	message := at.GetMessage()
	bad.message = "not YAML: " + message
	if t := at.GetToken(); t != nil && t.Position != nil {
		bad.line, bad.column = t.Position.Line, t.Position.Column
	}
	switch {
	case strings.Contains(message, `'\t'`), strings.Contains(message, "\t"), strings.Contains(message, "tab character"):
		bad.message, bad.hint = "a tab at the start of a line", "indent with spaces"
	case strings.Contains(message, "value is not allowed in this context"):
		bad.hint = "check the indentation; a value with \": \" in it needs quotes"
	case strings.Contains(message, "end character of"):
		bad.message, bad.hint = "a quote that is never closed", "close it, or double it inside the text"
	case strings.Contains(message, "reserved character"), strings.Contains(message, "directive"):
		bad.hint = "put the value in quotes"
	}
	return bad
}

// start is the place of a node. The token of a mapping or an entry is its
// colon, so the place is that of its first key.
func start(n ast.Node) place {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return start(n.Values[0])
		}
	case *ast.MappingValueNode:
		if n.Key != nil {
			return start(n.Key)
		}
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return place{line: 1, column: 1, width: 1}
	}
	width := utf8.RuneCountInString(strings.SplitN(t.Value, "\n", 2)[0])
	if t.Indicator == token.QuotedScalarIndicator {
		width += 2
	}
	return place{line: t.Position.Line, column: t.Position.Column, width: max(width, 1)}
}
