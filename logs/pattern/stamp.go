package pattern

import "bytes"

// A timestamp is one token for each of its parts that stands alone, all of them a
// Time, so that the part that seldom changes (the date) stays in the template:
//
//	2015-10-18 18:01:47,978        date, clock
//	2015-10-18T18:01:47.978+02:00  one part
//	Jun 14 15:16:01                month, day, clock
//	Sun Dec 04 04:47:44 2005       weekday, month, day, clock, year
//	10/Oct/2000:13:55:36 -0700     access log, zone
//
// Names of months and days are no words then, which first-word protection would
// take for the kind of the line.

// stampForm is what a Time and the parts before it make, so that what follows can
// complete it.
type stampForm uint8

const (
	_          stampForm = iota
	formDate             // digits joined by - or /
	formClock            // 18:01:47, and maybe a fraction
	formFull             // date and clock, and maybe a zone
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

// stamp looks whether the last token, a Time or an Int, completes a timestamp with
// the tokens before it.
func (s *scan) stamp(toks []Token) {
	n := len(toks) - 1
	if n-s.first < 2 || toks[n-1].Kind != Space {
		return
	}
	t, before := &toks[n], &toks[n-2]
	if t.Kind == Time {
		switch {
		case t.form != formClock:
		case before.form == formDate:
			t.form = formFull
		case before.Kind == Int:
			s.monthStamp(toks)
		}
		return
	}
	switch size := t.End - toks[n-1].End; {
	case before.form == formANSI && size == 4:
		t.Kind, t.form = Time, formFull
	case (before.form == formAccess || before.form == formFull) && size == 5 && marks[s.line[toks[n-1].End]] != digit:
		t.Kind = Time
	}
}

// monthStamp completes a clock behind a month and a day, and maybe a weekday.
func (s *scan) monthStamp(toks []Token) {
	n := len(toks) - 1
	month, day := n-4, n-2
	if month < s.first || toks[month+1].Kind != Space || toks[day].End-toks[day-1].End > 2 || !s.named(toks, month, months) {
		return
	}
	toks[month].Kind, toks[day].Kind = Time, Time
	if weekday := month - 2; weekday >= s.first && toks[weekday+1].Kind == Space && s.named(toks, weekday, weekdays) {
		toks[weekday].Kind = Time
		toks[n].form = formANSI
	}
}

const (
	months   = "JanFebMarAprMayJunJulAugSepOctNovDec"
	weekdays = "MonTueWedThuFriSatSun"
)

// named reports whether a token is one of some three-letter names.
func (s *scan) named(toks []Token, n int, names string) bool {
	word := s.line[s.startOf(toks, n):toks[n].End]
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
