package pattern

// Kind is what a token looks like. It decides nothing about correctness: a token
// of any kind stands for exactly its bytes.
type Kind uint8

// The kinds of tokens. Words and what looks like them take turns with separators
// (Space, Punct): two tokens of one sort are never neighbours.
const (
	// Space is a run of white space: space, \t, \n, \v, \f, \r.
	Space Kind = iota
	// Punct is a run of bytes that are no part of a word, at least one of them no
	// white space: other ASCII punctuation, control bytes, and the spaces between.
	Punct
	// Word is letters, underscores and bytes from 0x80 up, joined by . - @.
	Word
	// Path is a word, with or without digits, that holds a slash.
	Path
	// Int is digits with an optional sign.
	Int
	// Decimal is an Int, a point, and digits.
	Decimal
	// Hex is 0x and hexadecimal digits, or at least eight of them.
	Hex
	// UUID is 36 bytes in the canonical layout, in either case.
	UUID
	// IPv4 is four decimal octets, and maybe a port.
	IPv4
	// Time is a timestamp in one of the common layouts, zone included, or a part of
	// one that stands alone: Jun, 14 and 15:16:01 of "Jun 14 15:16:01".
	Time
	// Duration is a number and a unit: 30s, 1.5ms, 1h30m.
	Duration
	// Mixed is anything else with a digit in it.
	Mixed
	// Key is a Word that names a value: directly before = or, in quotes, before a
	// colon. It never varies within a pattern.
	Key
	// Quoted is the text of a quoted value of several words and no digits, without
	// its quotes: one value, however many words it has.
	Quoted
	// IPv6 is an address of eight groups, or fewer around ::, and maybe a port or a
	// zone after it in its own tokens.
	IPv6
	// Epoch is an Int of 10, 13, 16 or 19 digits that starts with 1: seconds, milli-,
	// micro- or nanoseconds since 1970, of the years 2001 to 2033.
	Epoch
)

// class is what the signature of a line sees of a kind: tokens that hold a digit
// stand in for each other, because an identifier that is decimal in one line is
// hexadecimal in the next.
type class uint8

const (
	classText   class = iota // Space, Punct, Key: the bytes themselves
	classWord                // Word, Quoted
	classPath                // Path
	classNumber              // everything with a digit
)

// kinds is a power of two above every Kind, so that look-ups need no check.
const kinds = 16

var classOf = [kinds]class{
	Space: classText, Punct: classText, Key: classText, Word: classWord, Quoted: classWord, Path: classPath,
	Int: classNumber, Decimal: classNumber, Hex: classNumber, UUID: classNumber, IPv4: classNumber, IPv6: classNumber,
	Time: classNumber, Duration: classNumber, Mixed: classNumber, Epoch: classNumber,
}

var kindNames = [...]string{
	Space: "space", Punct: "punct", Word: "word", Path: "path", Int: "int", Decimal: "decimal", Hex: "hex",
	UUID: "uuid", IPv4: "ipv4", Time: "time", Duration: "duration", Mixed: "mixed",
	Key: "key", Quoted: "quoted", IPv6: "ipv6", Epoch: "epoch",
}

// String is the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}
