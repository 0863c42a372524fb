package pattern

// Kind is what a token looks like. It decides nothing about correctness: a token
// of any kind stands for exactly its bytes.
type Kind uint8

// The kinds of tokens.
const (
	// Space is a run of white space: space, \t, \n, \v, \f, \r.
	Space Kind = iota
	// Punct is a run of one and the same byte that is no part of a word: other
	// ASCII punctuation and control bytes.
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
	// Time is digits joined by - / : and the marks that follow them: the date, the
	// time of day, or both of a timestamp.
	Time
	// Duration is a number and a unit: 30s, 1.5ms, 1h30m.
	Duration
	// Mixed is anything else with a digit in it.
	Mixed
)

// class is what the signature of a line sees of a kind: tokens that hold a digit
// stand in for each other, because an identifier that is decimal in one line is
// hexadecimal in the next.
type class uint8

const (
	classText   class = iota // Space, Punct: the bytes themselves
	classWord                // Word
	classPath                // Path
	classNumber              // everything with a digit
)

var classOf = [...]class{
	Space: classText, Punct: classText, Word: classWord, Path: classPath,
	Int: classNumber, Decimal: classNumber, Hex: classNumber, UUID: classNumber, IPv4: classNumber,
	Time: classNumber, Duration: classNumber, Mixed: classNumber,
}

var kindNames = [...]string{
	Space: "space", Punct: "punct", Word: "word", Path: "path", Int: "int", Decimal: "decimal", Hex: "hex",
	UUID: "uuid", IPv4: "ipv4", Time: "time", Duration: "duration", Mixed: "mixed",
}

// String is the kind's name.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}
