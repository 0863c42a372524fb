package pattern

import "bytes"

// classify is the kind of a word, given the marks of all its bytes.
func classify(word []byte, seen mark) Kind {
	if seen&digit == 0 {
		if seen&slash != 0 {
			return Path
		}
		return Word
	}
	if seen == digit {
		return Int
	}
	if seen&(hexLetter|letter|at) == 0 {
		return classifyDigits(word, seen)
	}
	if seen&slash != 0 {
		return Path
	}
	return classifyLetters(word, seen)
}

// classifyDigits is the kind of a word of digits and joins.
func classifyDigits(word []byte, seen mark) Kind {
	if word[0] == '-' || word[0] == '+' {
		switch rest := word[1:]; {
		case bytes.IndexByte(rest, '.') < 0 && allDigits(rest):
			return Int
		case isDecimal(rest):
			return Decimal
		}
		return Mixed
	}
	switch {
	case seen&dot != 0 && seen&^(digit|dot|colon) == 0 && isIPv4(word):
		return IPv4
	case seen == digit|dot && isDecimal(word):
		return Decimal
	case seen&(colon|dash|slash) != 0:
		return Time
	default:
		return Mixed
	}
}

// classifyLetters is the kind of a word with both letters and digits.
func classifyLetters(word []byte, seen mark) Kind {
	switch {
	case len(word) == 36 && seen&^(digit|hexLetter|dash) == 0 && isUUID(word):
		return UUID
	case seen&^(digit|hexLetter) == 0 && len(word) >= 8:
		return Hex
	case len(word) > 2 && word[0] == '0' && word[1]|0x20 == 'x' && allHex(word[2:]):
		return Hex
	case seen&(colon|dash|slash|at) == 0 && isDuration(word):
		return Duration
	case seen&colon != 0 && seen&(dash|slash) != 0 && isTimestamp(word):
		return Time
	default:
		return Mixed
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

// isIPv4 accepts an address with or without a port; s holds digits, points and
// colons only.
func isIPv4(s []byte) bool {
	octets, value, digits := 1, 0, 0
	for i, c := range s {
		switch {
		case c == '.' && octets < 4 && digits > 0:
			octets, value, digits = octets+1, 0, 0
		case c == ':':
			return octets == 4 && digits > 0 && allDigits(s[i+1:])
		case c == '.':
			return false
		default:
			value, digits = value*10+int(c-'0'), digits+1
			if digits > 3 || value > 255 {
				return false
			}
		}
	}
	return octets == 4 && digits > 0
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

// isTimestamp accepts digits, joins, and the letters T and Z.
func isTimestamp(s []byte) bool {
	for _, c := range s {
		if marks[c]&(hexLetter|letter) != 0 && c != 'T' && c != 'Z' {
			return false
		}
	}
	return true
}
