package pattern

import (
	"encoding/binary"

	"github.com/vigil-agent/vigil/logs/internal/octets"
)

// Token is one piece of a line. Tokens cover a line without gaps, so that a token
// starts where the one before it ends.
type Token struct {
	// End is the offset just after the token, in bytes.
	End uint32
	// Kind is what it looks like.
	Kind Kind
	// form is what the stamp rules know of a Time.
	form stampForm
	// text is a hash of a separator, or of some bytes of a Key: lines of one pattern
	// share it.
	text uint16
}

// Tokenize appends the tokens of line to dst. Any bytes are legal, up to 4 GiB.
// A token never ends inside the UTF-8 encoding of a rune.
//
// It is one pass with one table look-up a byte: a word runs to the first byte that
// neither belongs to one nor joins two halves, a separator to the next word.
func Tokenize(dst []Token, line []byte) []Token {
	s := scan{line: line, first: len(dst)}
	inWord := len(line) > 0 && marks[line[0]]&wordBytes != 0
	for i := 0; i < len(line); {
		start := i
		if !inWord {
			h, m := textStep(0, line[i]), marks[line[i]]
			for i++; i < len(line) && marks[line[i]]&wordBytes == 0; i++ {
				h = textStep(h, line[i])
				m |= marks[line[i]]
			}
			sep := textToken(i, h, m)
			if inWord = true; m&speaks == 0 {
				dst = append(dst, sep)
			} else {
				dst, i, inWord = s.separator(dst, start, sep)
			}
			continue
		}
		end, seen := wordEnd(line, start)
		i = end
		t := Token{End: uint32(i), Kind: Word}
		if seen == digit {
			t.Kind = digitsKind(line[start:i])
		} else if seen&(digit|slash) != 0 {
			t.Kind, t.form = classify(line[start:i], seen)
		}
		dst = append(dst, t)
		if t.Kind == Time || t.Kind == Int {
			s.stamp(dst)
		}
		inWord = false
	}
	return dst
}

// wordEnd is the end of the word at start, and the marks of all its bytes.
func wordEnd(line []byte, start int) (int, mark) {
	// The first byte may be a sign or a slash.
	return wordGoesOn(line, start+1, marks[line[start]])
}

// wordGoesOn is wordEnd for a word whose bytes before i are known to belong to it.
func wordGoesOn(line []byte, i int, seen mark) (int, mark) {
	for ; i < len(line); i++ {
		m := marks[line[i]]
		if m&wordBytes == 0 {
			if m&(joins|numericJoins) == 0 || i+1 == len(line) {
				break
			}
			next := marks[line[i+1]]
			if m&joins != 0 && next&wordBytes == 0 || m&numericJoins != 0 && (next != digit || marks[line[i-1]] != digit) {
				break
			}
			if next == digit {
				// A run of digits is skipped at once.
				i += octets.Digits(octets.At(line, i+1))
				m |= digit
			}
		}
		seen |= m
	}
	return i, seen
}

// hexEnd skips lower case hexadecimal digits from a byte on, eight at a time, and
// returns their marks.
func hexEnd(line []byte, i int) (int, mark) {
	var digits, letters uint64
	for ; i+8 <= len(line); i += 8 {
		w := binary.LittleEndian.Uint64(line[i:])
		d := (w + (0x80-'0')*octets.Ones) &^ (w + (0x80-'9'-1)*octets.Ones) & octets.High
		l := (w + (0x80-'a')*octets.Ones) &^ (w + (0x80-'f'-1)*octets.Ones) & octets.High
		if w&octets.High != 0 || d|l != octets.High {
			break
		}
		digits, letters = digits|d, letters|l
	}
	var seen mark
	if digits != 0 {
		seen = digit
	}
	if letters != 0 {
		seen |= hexLetter
	}
	return i, seen
}

// scan is a line that is cut into tokens.
type scan struct {
	line  []byte
	first int // index of the line's first token
}

// separator emits the separator before a word, or at the end of the line, and what
// it says about the tokens around it. It returns where the next token starts and
// whether that is a word.
func (s *scan) separator(dst []Token, start int, sep Token) (_ []Token, next int, inWord bool) {
	line, end := s.line, int(sep.End)
	if c := line[start]; c == '=' || c == '"' && end-start > 1 && line[start+1] == ':' {
		s.key(dst, start)
	}
	m := marks[line[end-1]]
	if m&opens == 0 || end == len(line) {
		return append(dst, sep), end, true
	}
	switch m {
	case colon:
		if d, to := s.address(dst, start, end); to > 0 {
			return d, to, false
		}
	case quote:
		if to := quotedEnd(line, start, end); to > 0 {
			return append(dst, sep, Token{End: uint32(to), Kind: Quoted}), to, false
		}
	default:
		if opensWord(line, start, end, m) {
			if end--; start == end {
				return dst, end, true
			}
			sep = s.text(start, end)
		}
	}
	return append(dst, sep), end, true
}

// opensWord reports whether the last byte of a separator starts the word behind
// it: the sign of a number, or the first slash of a path.
func opensWord(line []byte, start, end int, last mark) bool {
	if end-1 == start && start > 0 || end-1 > start && line[end-2] == line[end-1] {
		return false
	}
	next := marks[line[end]]
	if last == slash {
		return next&(hexLetter|letter) != 0
	}
	return next == digit
}

// speaks is the marks of separators that may say something about the words around
// them.
const speaks = opens | equals

// textStep adds a byte to the hash of the text of a token.
func textStep(h uint32, c byte) uint32 { return (h + uint32(c) + 1) * 0x9e3779b1 }

// textToken is the token of a separator with a hash and the marks of its bytes.
func textToken(end int, h uint32, m mark) Token {
	t := Token{End: uint32(end), Kind: Punct, text: uint16(h >> 16)}
	if m == white {
		t.Kind = Space
	}
	return t
}

// text is the token of separator bytes.
func (s *scan) text(start, end int) Token {
	h, m := uint32(0), mark(0)
	for _, c := range s.line[start:end] {
		h = textStep(h, c)
		m |= marks[c]
	}
	return textToken(end, h, m)
}

// key makes a Key of the Word that ends at a byte.
func (s *scan) key(dst []Token, end int) {
	n := len(dst) - 1
	if n < s.first || dst[n].Kind != Word {
		return
	}
	dst[n].Kind = Key
	start := s.startOf(dst, n)
	h := textStep(textStep(textStep(uint32(end-start), s.line[start]), s.line[(start+end)/2]), s.line[end-1])
	dst[n].text = uint16(h >> 16)
}

// startOf is where a token of the line starts.
func (s *scan) startOf(dst []Token, n int) int {
	if n == s.first {
		return 0
	}
	return int(dst[n-1].End)
}

// maxQuoted bounds how far the end of a quoted value is looked for.
const maxQuoted = 256

// quotedEnd is where the value ends whose opening quote is the last byte of a
// separator, or 0 when what the quotes hold is no Quoted token.
func quotedEnd(line []byte, start, end int) int {
	i := end - 2
	if i > start && line[i] == ' ' {
		i--
	}
	if i < start || line[i] != '=' && line[i] != ':' {
		return 0
	}
	several := false
	for i = end; i < min(len(line), end+maxQuoted); i++ {
		switch m := marks[line[i]]; {
		case m == quote:
			if several {
				return i
			}
			return 0
		case m == digit, line[i] == '\\':
			return 0
		case m == white:
			several = true
		}
	}
	return 0
}
