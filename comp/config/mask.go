package config

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// hidden stands for the value of a secret wherever one could be printed.
const hidden = "********"

// minSecret is the shortest text that is taken for a secret when it appears in
// other text: masking every "a" would hide nothing and garble everything.
const minSecret = 4

// redactor returns a function that replaces every known secret in a text, also
// where it is quoted.
func redactor(secrets []string) func(string) string {
	var forms []string
	for _, secret := range secrets {
		if len(secret) < minSecret {
			continue
		}
		quoted, asJSON := strconv.Quote(secret), string(quoteJSON(secret))
		forms = append(forms, secret, quoted[1:len(quoted)-1], asJSON[1:len(asJSON)-1])
	}
	// The longest first: one secret may be the beginning of another.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return func(text string) string {
		for _, form := range forms {
			text = strings.ReplaceAll(text, form, hidden)
		}
		return text
	}
}

var separators = strings.NewReplacer("_", "", "-", "", ".", "")

var word = regexp.MustCompile(`[\w.-]+`)

// secretish says whether a name, maybe misspelt or in a place where it does not
// belong, looks like that of a secret. It errs on the safe side: what follows
// such a name is not shown in an excerpt.
func secretish(name string) bool {
	plain := separators.Replace(strings.ToLower(name))
	for _, part := range []string{"apikey", "appkey", "secret", "token", "passw", "credential"} {
		if strings.Contains(plain, part) {
			return true
		}
	}
	if plain == "key" || edits(plain, "apikey") <= 2 {
		return true
	}
	last := plain[max(0, len(plain)-len("apikey")):]
	return edits(last, "apikey") <= 1
}

// maskLines finds the lines of a file that may hold a secret: for each the
// number of characters that may be shown. It works on the text, not on the
// syntax tree, because a file that does not parse is where excerpts are needed
// most.
func maskLines(lines []string) map[int]int {
	masks := map[int]int{}
	for i, line := range lines {
		v, found := findSecret(line)
		if !found {
			continue
		}
		if _, masked := masks[i]; !masked {
			masks[i] = v.cut
		}
		for next := i + 1; next < len(lines); next++ {
			if !v.continues(line, lines[next], next == i+1) {
				break
			}
			masks[next] = 0
			v.quoted = v.quoted != (strings.Count(lines[next], v.quote)%2 == 1)
		}
	}
	return masks
}

// secretValue is the value behind the name of a secret in one line.
type secretValue struct {
	// cut is where the value starts, in characters.
	cut int
	// open says that the value is empty or starts something that the next line
	// may hold.
	open bool
	// quoted says that the line ends inside of a pair of quote.
	quoted bool
	quote  string
}

func findSecret(line string) (secretValue, bool) {
	for _, at := range word.FindAllStringIndex(line, -1) {
		if !secretish(line[at[0]:at[1]]) {
			continue
		}
		end := at[1]
		for end < len(line) && strings.IndexByte("\"' \t:=", line[end]) >= 0 {
			end++
		}
		value := strings.TrimSpace(line[end:])
		v := secretValue{cut: utf8.RuneCountInString(line[:end]), quote: `"`}
		v.open = value == "" || strings.IndexByte("#|>&!?-[{", value[0]) >= 0
		// From the quote before the name to the end: an odd number leaves one
		// open, if the value starts with one at all.
		around := line[max(at[0]-1, 0):end]
		for _, quote := range []string{`"`, `'`} {
			if strings.Count(around, quote)%2 == 1 {
				v.quote = quote
				v.quoted = strings.Count(value, quote)%2 == 0
			}
		}
		return v, true
	}
	return secretValue{}, false
}

// continues says whether the line next may belong to the value that starts on
// the line first: it is indented deeper, follows a value that is not complete,
// or stands between quotes.
func (v secretValue) continues(first, next string, adjacent bool) bool {
	return strings.TrimSpace(next) == "" || indent(next) > indent(first) || adjacent && v.open || v.quoted
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }
