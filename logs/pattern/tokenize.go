package pattern

// Token is one piece of a line. Tokens cover a line without gaps, so that a token
// starts where the one before it ends.
type Token struct {
	// End is the offset just after the token, in bytes.
	End uint32
	// Kind is what it looks like.
	Kind Kind
}

// mark is a set of byte properties; the marks of a token's bytes together decide
// its kind.
type mark uint16

const (
	digit mark = 1 << iota
	hexLetter
	letter // any other letter, underscore, bytes from 0x80 up
	dot
	dash
	slash
	colon
	comma
	plus
	at
	white

	inWord = digit | hexLetter | letter
	// joins link two halves of a word; numeric joins do so between digits only.
	joins        = dot | dash | slash | at
	numericJoins = colon | comma | plus
)

var marks = func() (m [256]mark) {
	for c := range m {
		switch {
		case c >= '0' && c <= '9':
			m[c] = digit
		case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			m[c] = hexLetter
		case c >= 'g' && c <= 'z', c >= 'G' && c <= 'Z', c == '_', c >= 0x80:
			m[c] = letter
		}
	}
	m['.'], m['-'], m['/'], m[':'], m[','], m['+'], m['@'] = dot, dash, slash, colon, comma, plus, at
	for _, c := range " \t\n\v\f\r" {
		m[c] = white
	}
	return m
}()

// Tokenize appends the tokens of line to dst. Any bytes are legal, up to 4 GiB.
// A token never ends inside the UTF-8 encoding of a rune.
func Tokenize(dst []Token, line []byte) []Token {
	for i := 0; i < len(line); {
		start, seen := i, marks[line[i]]
		switch {
		case seen&inWord != 0 || opensWord(line[i:], seen):
			i, seen = wordEnd(line, i+1, seen)
			dst = append(dst, Token{End: uint32(i), Kind: classify(line[start:i], seen)})
		case seen == white:
			for i++; i < len(line) && marks[line[i]] == white; i++ {
			}
			dst = append(dst, Token{End: uint32(i), Kind: Space})
		default:
			for i++; i < len(line) && line[i] == line[start]; i++ {
			}
			dst = append(dst, Token{End: uint32(i), Kind: Punct})
		}
	}
	return dst
}

// opensWord reports whether rest, which starts with a byte that is no letter or
// digit, is a signed number or an absolute path all the same.
func opensWord(rest []byte, first mark) bool {
	if len(rest) < 2 {
		return false
	}
	switch next := marks[rest[1]]; first {
	case dash, plus:
		return next == digit
	case slash:
		return next&(hexLetter|letter) != 0
	default:
		return false
	}
}

// wordEnd is the end of the word whose bytes up to i have been seen, and the marks
// of all its bytes.
func wordEnd(line []byte, i int, seen mark) (int, mark) {
	for ; i < len(line); i++ {
		m := marks[line[i]]
		if m&inWord == 0 {
			if m&(joins|numericJoins) == 0 || i+1 == len(line) {
				break
			}
			next := marks[line[i+1]]
			if m&joins != 0 && next&inWord == 0 || m&numericJoins != 0 && (next != digit || marks[line[i-1]] != digit) {
				break
			}
		}
		seen |= m
	}
	return i, seen
}
