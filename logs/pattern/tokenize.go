package pattern

import (
	"encoding/binary"
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
	// text is a hash of the bytes of a separator or a Key, which lines of one
	// pattern share.
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
			i++
			if i < len(line) && marks[line[i]]&wordBytes != 0 {
				if t := plain[line[start]]; t.End != 0 {
					t.End = uint32(i)
					dst = append(dst, t)
					inWord = true
					continue
				}
			}
			for i < len(line) && marks[line[i]]&wordBytes == 0 {
				i++
			}
			dst, i, inWord = s.separator(dst, start, i)
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
	seen, i := marks[line[start]], start+1
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
		}
		seen |= m
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
func (s *scan) separator(dst []Token, start, end int) (_ []Token, next int, inWord bool) {
	line := s.line
	if c := line[start]; c == '=' || c == '"' && end-start > 1 && line[start+1] == ':' {
		s.key(dst, start)
	}
	m := marks[line[end-1]]
	if m&opens == 0 || end == len(line) {
		return append(dst, s.text(start, end)), end, true
	}
	switch m {
	case colon:
		if d, to := s.address(dst, start, end); to > 0 {
			return d, to, false
		}
	case quote:
		if to := quotedEnd(line, start, end); to > 0 {
			return append(dst, s.text(start, end), Token{End: uint32(to), Kind: Quoted}), to, false
		}
	default:
		if opensWord(line, start, end, m) {
			if end--; start == end {
				return dst, end, true
			}
		}
	}
	return append(dst, s.text(start, end)), end, true
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

// plain is the tokens of separators of one byte that says nothing about the words
// around it; others have no End.
var plain = func() (p [256]Token) {
	for c, m := range marks {
		if m&(wordBytes|opens|equals) == 0 {
			p[c] = Token{End: 1, Kind: Punct, text: hashText([]byte{byte(c)})}
			if m == white {
				p[c].Kind = Space
			}
		}
	}
	return p
}()

// text is the token of separator bytes.
func (s *scan) text(start, end int) Token {
	t := Token{End: uint32(end), Kind: Punct, text: s.hash(start, end)}
	if marks[s.line[start]] == white && (end-start == 1 || allWhite(s.line[start+1:end])) {
		t.Kind = Space
	}
	return t
}

func allWhite(b []byte) bool {
	for _, c := range b {
		if marks[c] != white {
			return false
		}
	}
	return true
}

// hash is a short hash of some bytes of the line.
func (s *scan) hash(start, end int) uint16 {
	if n := end - start; n <= 8 && start+8 <= len(s.line) {
		v := binary.LittleEndian.Uint64(s.line[start:]) & (1<<(8*n) - 1)
		return uint16((v + uint64(n)) * hashPrime >> 48)
	}
	return hashText(s.line[start:end])
}

// hashText is hash of bytes that stand alone.
func hashText(b []byte) uint16 {
	if len(b) > 8 {
		return uint16(Hash(b) >> 48)
	}
	v := uint64(0)
	for i, c := range b {
		v |= uint64(c) << (8 * i)
	}
	return uint16((v + uint64(len(b))) * hashPrime >> 48)
}

// key makes a Key of the Word that ends at a byte.
func (s *scan) key(dst []Token, end int) {
	n := len(dst) - 1
	if n < s.first || dst[n].Kind != Word {
		return
	}
	dst[n].Kind = Key
	dst[n].text = s.hash(s.startOf(dst, n), end)
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
