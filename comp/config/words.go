package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// listWords splits a list written in one text: a JSON array, or items between
// commas, or, where there is no comma, between spaces. DD_TAGS is written in
// both of the latter ways.
func listWords(text string) ([]string, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		return jsonWords(text)
	}
	if !strings.Contains(text, ",") {
		return strings.Fields(text), nil
	}
	var items []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items, nil
}

// commandWords splits a command line: a JSON array, or words with the quoting of
// a shell. Nothing is expanded: no variables, no globs, no pipes.
func commandWords(text string) ([]string, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		return jsonWords(text)
	}
	return shellWords(text)
}

func jsonWords(text string) ([]string, error) {
	var items []string
	if err := json.Unmarshal([]byte(text), &items); err != nil {
		return nil, fmt.Errorf("not a JSON array of strings: %w", err)
	}
	return items, nil
}

// shellWords follows the quoting rules of POSIX (Shell Command Language, 2.2):
// nothing is special in single quotes; in double quotes a backslash escapes
// $ ` " \ and a line break; outside it escapes anything.
func shellWords(text string) ([]string, error) {
	var (
		words   []string
		word    strings.Builder
		started bool
		quote   rune
		escaped bool
	)
	for _, r := range text {
		switch {
		case escaped:
			escaped = false
			if quote == '"' && !strings.ContainsRune("$`\"\\\n", r) {
				word.WriteRune('\\')
			}
			if r != '\n' { // a line that goes on
				word.WriteRune(r)
				started = true
			}
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0:
			if r == quote {
				quote = 0
			} else {
				word.WriteRune(r)
			}
		case r == '\'' || r == '"':
			quote, started = r, true
		case strings.ContainsRune(" \t\r\n", r):
			if started {
				words = append(words, word.String())
				word.Reset()
				started = false
			}
		default:
			word.WriteRune(r)
			started = true
		}
	}
	switch {
	case quote != 0:
		return nil, fmt.Errorf("the quote %c is not closed", quote)
	case escaped:
		return nil, errors.New("nothing follows the last backslash")
	}
	if started {
		words = append(words, word.String())
	}
	return words, nil
}
