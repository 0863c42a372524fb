package snapshot

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// label is the name of a field or variable, ready to print.
type label struct {
	text string
	key  []byte // the JSON member name and its colon
	// redacted says that the name alone hides the value.
	redacted bool
	// blank is a field without a name, which is padding: in the text it would
	// be noise.
	blank bool
}

func newLabel(name string, r *redactor) label {
	return label{text: plain(name), key: append(quote(name), ':'), redacted: r.ident(name)}
}

// plain makes a name safe for a terminal: a binary may hold any bytes where its
// names should be.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, name)
}

// quote is a name as a JSON string; bytes that are not UTF-8 become U+FFFD.
func quote(s string) []byte {
	out, _ := jsontext.AppendQuote(nil, s)
	return out
}

// distinct makes the names of one object different from each other: blank
// parameters and fields share the name "_", and JSON allows each key once. The
// second becomes "_#2".
func distinct(names []string) []string {
	out := make([]string, len(names))
	taken := map[string]bool{}
	for i, name := range names {
		out[i] = name
		for n := 2; taken[out[i]]; n++ {
			out[i] = name + "#" + strconv.Itoa(n)
		}
		taken[out[i]] = true
	}
	return out
}

// shortType drops the directories of the packages in a type's name:
// "[]*net/http.Request" becomes "[]*http.Request".
func shortType(name string) string {
	var b strings.Builder
	word := 0
	for i := 0; i <= len(name); i++ {
		if i < len(name) && !strings.ContainsRune("[](){}*, ;", rune(name[i])) {
			continue
		}
		b.WriteString(name[max(word, 1+strings.LastIndexByte(name[:i], '/')):i])
		if i < len(name) {
			b.WriteByte(name[i])
		}
		word = i + 1
	}
	return b.String()
}
