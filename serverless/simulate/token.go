package simulate

import (
	"errors"
	"strings"
)

// token is a word of a line: white space separates words, quotes keep it inside,
// as in id='a b'. A # at the start of a word begins a comment.
type token struct {
	text   string
	column int
}

var errQuote = errors.New("a quote is opened and not closed on this line")

// tokenise splits a line. On an error the token in progress tells the column.
func tokenise(line string) ([]token, error) {
	var tokens []token
	for i := 0; i < len(line); {
		if blank(line[i]) {
			i++
			continue
		}
		if line[i] == '#' {
			break
		}
		start := i
		var word strings.Builder
		for i < len(line) && !blank(line[i]) {
			if line[i] != '\'' && line[i] != '"' {
				word.WriteByte(line[i])
				i++
				continue
			}
			length := strings.IndexByte(line[i+1:], line[i])
			if length < 0 {
				return append(tokens, token{column: i + 1}), errQuote
			}
			word.WriteString(line[i+1 : i+1+length])
			i += length + 2
		}
		tokens = append(tokens, token{text: word.String(), column: start + 1})
	}
	return tokens, nil
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }
