package pattern

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
	quote
	equals
	other // any other byte

	wordBytes = digit | hexLetter | letter
	// joins link two halves of a word; numeric joins do so between digits only.
	joins        = dot | dash | slash | at
	numericJoins = colon | comma | plus
	// What the last byte of a separator may mean for the word behind it.
	opens = dash | slash | plus | colon | quote
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
		default:
			m[c] = other
		}
	}
	m['.'], m['-'], m['/'], m[':'], m[','], m['+'], m['@'] = dot, dash, slash, colon, comma, plus, at
	m['"'], m['='] = quote, equals
	for _, c := range " \t\n\v\f\r" {
		m[c] = white
	}
	return m
}()
