package columns

import "bytes"

// parsed is a value taken apart.
type parsed struct {
	text []byte
	runs []run
}

// parse takes a value apart; it is not ok for plain text.
func (p *parsed) parse(value []byte) bool {
	p.text, p.runs = p.text[:0], p.runs[:0]
	if len(value) > maxShape {
		return false
	}
	uuid := len(value) == uuidLen && value[8] == '-' && value[13] == '-' && value[18] == '-' && value[23] == '-'
	for i := 0; i < len(value); {
		c := value[i]
		if c < maxMark {
			return false
		}
		if !isAlnum[c] {
			p.text = append(p.text, c)
			i++
			continue
		}
		// A word: hexadecimal as a whole, or digits among letters.
		end := i + 1
		seen := alnum[c]
		for end < len(value) && isAlnum[value[end]] {
			seen |= alnum[value[end]]
			end++
		}
		word := value[i:end]
		i = end
		if seen&isDigit == 0 && (!uuid || seen&isOther != 0) {
			p.text = append(p.text, word...)
			continue
		}
		if len(word) > 2 && word[0] == '0' && word[1] == 'x' {
			if mark, ok := hexMark(word[2:]); ok {
				p.text = append(p.text, '0', 'x')
				p.addHex(mark, word[2:])
				continue
			}
		}
		if uuid || len(word) >= minHexRun && seen != isDigit && !isNumbered(word) {
			if mark, ok := hexMark(word); ok {
				p.addHex(mark, word)
				continue
			}
		}
		p.addDecimals(word)
	}
	if len(p.runs) >= 4 {
		p.addOctets()
	}
	return len(p.runs) > 0 && len(p.runs) <= maxRuns
}

// addOctets makes octets of the runs that are an IPv4 address.
func (p *parsed) addOctets() {
	address := []byte{decimalMark, '.', decimalMark, '.', decimalMark, '.', decimalMark}
	at := bytes.Index(p.text, address)
	if at < 0 {
		return
	}
	first := marksIn(p.text[:at])
	for _, r := range p.runs[first : first+4] {
		if r.value > 255 || r.width != decimalWidth(r.value) {
			return
		}
	}
	for i := range 4 {
		p.text[at+2*i] = octetMark
	}
}

// decimalWidth is the number of digits of a number up to 999.
func decimalWidth(v uint64) int {
	switch {
	case v < 10:
		return 1
	case v < 100:
		return 2
	}
	return 3
}

// match takes apart a value of a known shape; it is not ok if it has another.
func (p *parsed) match(sh *shape, value []byte) (ok bool) {
	p.runs, ok = sh.runs(p.runs[:0], value)
	return ok
}

// runs appends the runs of a value to dst; it is not ok if the value has another shape.
func (sh *shape) runs(dst []run, value []byte) (_ []run, ok bool) {
	at := 0
	for _, c := range sh.text {
		if at >= len(value) {
			return dst, false
		}
		if c >= maxMark {
			if value[at] != c {
				return dst, false
			}
			at++
			continue
		}
		var r run
		switch c {
		case decimalMark:
			r = decimals(value, at)
		case octetMark:
			if r = decimals(value, at); r.value > 255 || r.width != decimalWidth(r.value) {
				return dst, false
			}
		default:
			r = hexadecimals(value, at, c)
		}
		if r.width == 0 {
			return dst, false
		}
		at += r.width
		dst = append(dst, r)
	}
	return dst, at == len(value)
}

const (
	isDigit byte = 1 << iota
	isLower      // a to f
	isUpper      // A to F
	isOther
)

var alnum, isAlnum = func() (k [256]byte, is [256]bool) {
	for c := range k {
		switch {
		case c >= '0' && c <= '9':
			k[c] = isDigit
		case c >= 'a' && c <= 'f':
			k[c] = isLower
		case c >= 'A' && c <= 'F':
			k[c] = isUpper
		case c >= 'g' && c <= 'z', c >= 'G' && c <= 'Z':
			k[c] = isOther
		}
		is[c] = k[c] != 0
	}
	return k, is
}()

// hexMark is the mark of a run of hexadecimal digits in one case.
func hexMark(word []byte) (byte, bool) {
	var seen byte
	for _, c := range word {
		seen |= alnum[c]
	}
	switch {
	case seen&^(isDigit|isLower) == 0:
		return lowerHexMark, true
	case seen&^(isDigit|isUpper) == 0:
		return upperHexMark, true
	}
	return 0, false
}

// isNumbered reports whether a word is one letter and so many digits that it would
// hardly be hexadecimal.
func isNumbered(word []byte) bool {
	const many = 8
	if len(word) <= many || alnum[word[0]] == isDigit {
		return false
	}
	for _, c := range word[1:] {
		if alnum[c] != isDigit {
			return false
		}
	}
	return true
}

func (p *parsed) addHex(mark byte, digits []byte) {
	for len(digits) > 0 {
		n := min(len(digits), maxHex)
		r := hexadecimals(digits, 0, mark)
		p.text = append(p.text, mark)
		p.runs = append(p.runs, r)
		digits = digits[n:]
	}
}

func (p *parsed) addDecimals(word []byte) {
	for i := 0; i < len(word); {
		if alnum[word[i]] != isDigit {
			p.text = append(p.text, word[i])
			i++
			continue
		}
		r := decimals(word, i)
		i += r.width
		p.text = append(p.text, decimalMark)
		p.runs = append(p.runs, r)
	}
}

// digits is the number of digits of the value.
func (p *parsed) digits() int { return digitsOf(p.runs) }

func digitsOf(runs []run) (n int) {
	for _, r := range runs {
		n += r.width
	}
	return n
}
