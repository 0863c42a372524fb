package pattern

import "bytes"

// digitsKind is the kind of a word of digits only.
func digitsKind(word []byte) Kind {
	switch len(word) {
	case 10, 13, 16, 19:
		if word[0] == '1' {
			return Epoch
		}
	}
	return Int
}

// classify is the kind of a word, given the marks of all its bytes, and the form
// of a Time.
func classify(word []byte, seen mark) (Kind, stampForm) {
	switch {
	case seen&digit == 0:
		if seen&slash != 0 {
			return Path, 0
		}
		return Word, 0
	case seen == digit:
		return digitsKind(word), 0
	case seen&(hexLetter|letter|at) == 0:
		return classifyDigits(word, seen)
	case seen&slash != 0:
		if seen&colon != 0 && isAccessTime(word) {
			return Time, formAccess
		}
		return Path, 0
	default:
		return classifyLetters(word, seen)
	}
}

// classifyDigits is the kind of a word of digits and joins.
func classifyDigits(word []byte, seen mark) (Kind, stampForm) {
	if word[0] == '-' || word[0] == '+' {
		switch rest := word[1:]; {
		case bytes.IndexByte(rest, '.') < 0 && allDigits(rest):
			return Int, 0
		case isDecimal(rest):
			return Decimal, 0
		}
		return Mixed, 0
	}
	switch {
	case seen&dot != 0 && seen&^(digit|dot|colon) == 0 && isIPv4(word):
		return IPv4, 0
	case seen == digit|dot && isDecimal(word):
		return Decimal, 0
	case seen == digit|colon && isIPv6(word):
		return IPv6, 0
	case seen&(colon|dash|slash) != 0:
		return Time, digitsForm(word, seen)
	default:
		return Mixed, 0
	}
}

// classifyLetters is the kind of a word with both letters and digits.
func classifyLetters(word []byte, seen mark) (Kind, stampForm) {
	switch {
	case len(word) == 36 && seen&^(digit|hexLetter|dash) == 0 && isUUID(word):
		return UUID, 0
	case seen&^(digit|hexLetter) == 0 && len(word) >= 8:
		return Hex, 0
	case len(word) > 2 && word[0] == '0' && word[1]|0x20 == 'x' && allHex(word[2:]):
		return Hex, 0
	case seen&(colon|dash|slash|at) == 0 && isDuration(word):
		return Duration, 0
	case seen&colon != 0 && seen&dash != 0 && isTimestamp(word):
		return Time, formFull
	case seen&colon != 0 && isIPv6(word):
		return IPv6, 0
	default:
		return Mixed, 0
	}
}

func allDigits(s []byte) bool {
	for _, c := range s {
		if marks[c] != digit {
			return false
		}
	}
	return len(s) > 0
}

func allHex(s []byte) bool {
	for _, c := range s {
		if marks[c]&(digit|hexLetter) == 0 {
			return false
		}
	}
	return len(s) > 0
}

func isDecimal(s []byte) bool {
	i := bytes.IndexByte(s, '.')
	return i > 0 && allDigits(s[:i]) && allDigits(s[i+1:])
}

func isUUID(s []byte) bool {
	for i, c := range s {
		if (i == 8 || i == 13 || i == 18 || i == 23) != (c == '-') {
			return false
		}
	}
	return true
}

// isDuration accepts numbers each followed by a unit; s holds letters, digits and
// points only.
func isDuration(s []byte) bool {
	for len(s) > 0 {
		n := 0
		for n < len(s) && (marks[s[n]] == digit || s[n] == '.') {
			n++
		}
		if number := s[:n]; !allDigits(number) && !isDecimal(number) {
			return false
		}
		s = s[n:]
		for n = 0; n < len(s) && marks[s[n]]&(hexLetter|letter) != 0; n++ {
		}
		switch string(s[:n]) {
		case "ns", "us", "\u00b5s", "ms", "s", "sec", "secs", "m", "min", "h", "d":
		default:
			return false
		}
		s = s[n:]
	}
	return true
}
