package pattern

import "bytes"

// stampForm is what a Time token holds, so that what follows can complete it:
//
//	2015-10-18 18:01:47,978        date and clock
//	2015-10-18T18:01:47.978+02:00  one word already
//	Jun 14 15:16:01                month, day, clock
//	Sun Dec 04 04:47:44 2005       weekday, month, day, clock, year
//	10/Oct/2000:13:55:36 -0700     access log, zone
//
// A completed stamp is one token.
type stampForm uint8

const (
	_          stampForm = iota
	formDate             // digits joined by - or /
	formClock            // 18:01:47, and maybe a fraction
	formFull             // date and clock
	formAccess           // 10/Oct/2000:13:55:36
	formANSI             // all of Sun Dec 04 04:47:44 but the year
)

// digitsForm is the form of a Time of digits and joins.
func digitsForm(word []byte, seen mark) stampForm {
	switch {
	case seen&colon != 0 && seen&slash == 0 && isClock(word):
		return formClock
	case seen&colon == 0 && len(word) >= len("17/06/09") && len(word) <= len("2015-10-18"):
		return formDate
	case seen&colon != 0 && seen&(dash|slash) != 0:
		return formFull
	default:
		return 0
	}
}

// isClock accepts what starts like 18:01:47 or 8:01:47.
func isClock(s []byte) bool {
	hour := bytes.IndexByte(s, ':')
	return (hour == 1 || hour == 2) && len(s) >= hour+len(":01:47") && s[hour+3] == ':'
}

// isAccessTime accepts what looks like 10/Oct/2000:13:55:36.
func isAccessTime(s []byte) bool {
	const layout = "00/aaa/0000:00:00:00"
	if len(s) != len(layout) {
		return false
	}
	for i, c := range []byte(layout) {
		switch m := marks[s[i]]; {
		case c == '0' && m != digit, c == 'a' && m&(letter|hexLetter) == 0, c == '/' && m != slash, c == ':' && m != colon:
			return false
		}
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

// stamp makes one token of the last one, a Time or an Int, and the tokens before
// it that are parts of the same timestamp.
func (s *scan) stamp(dst []Token) []Token {
	n := len(dst) - 1
	if n-s.first < 2 || dst[n-1].Kind != Space {
		return dst
	}
	t, before := &dst[n], &dst[n-2]
	size := int(t.End - dst[n-1].End)
	single := dst[n-1].End-before.End == 1
	switch {
	case t.Kind == Time && t.form == formClock && before.form == formDate && single:
		return s.joinStamp(dst, n-2, formFull)
	case t.Kind == Time && t.form == formClock && before.Kind == Int:
		return s.monthStamp(dst)
	case t.Kind == Int && before.form == formANSI && size == 4 && single:
		return s.joinStamp(dst, n-2, formFull)
	case t.Kind == Int && (before.form == formAccess || before.form == formFull) && size == 5 && single && marks[s.line[dst[n-1].End]] != digit:
		return s.joinStamp(dst, n-2, 0)
	}
	return dst
}

// monthStamp completes a clock behind a month and a day, and maybe a weekday.
func (s *scan) monthStamp(dst []Token) []Token {
	n := len(dst) - 1
	month := n - 4
	if month < s.first || dst[month+1].Kind != Space || dst[n-2].End-dst[n-3].End > 2 {
		return dst
	}
	if from := s.startOf(dst, month); !oneOf(months, s.line[from:dst[month].End]) {
		return dst
	}
	weekday := month - 2
	if weekday >= s.first && dst[weekday+1].Kind == Space && dst[weekday+1].End-dst[weekday].End == 1 {
		if from := s.startOf(dst, weekday); oneOf(weekdays, s.line[from:dst[weekday].End]) {
			return s.joinStamp(dst, weekday, formANSI)
		}
	}
	return s.joinStamp(dst, month, 0)
}

// joinStamp makes one Time of all tokens from an index on.
func (s *scan) joinStamp(dst []Token, from int, form stampForm) []Token {
	dst[from] = Token{End: dst[len(dst)-1].End, Kind: Time, form: form}
	return dst[:from+1]
}

const (
	months   = "JanFebMarAprMayJunJulAugSepOctNovDec"
	weekdays = "MonTueWedThuFriSatSun"
)

// oneOf reports whether word is one of the three-letter names.
func oneOf(names string, word []byte) bool {
	if len(word) != 3 {
		return false
	}
	for i := 0; i < len(names); i += 3 {
		if names[i:i+3] == string(word) {
			return true
		}
	}
	return false
}
