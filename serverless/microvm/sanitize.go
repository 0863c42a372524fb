package microvm

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// MaxIDBytes bounds an instance id so that the longer of its two tags,
	// lambda_microvm_id:<id>, keeps within the 200 bytes the metrics intake
	// accepts for one tag.
	MaxIDBytes = 200 - len(TagLambdaID) - 1

	// digestBytes of a SHA-256 end a shortened id, so that two long ids with
	// the same beginning stay two instances.
	digestBytes = 8
)

// SanitizeID turns the id the platform sent into a value that is exactly one
// tag in every encoding: letters, digits and "-_./" stay, anything else becomes
// an underscore, and the length is at most MaxIDBytes. It reports whether the
// result differs from raw. A blank id, and the placeholder Unknown, give "":
// there is no id.
func SanitizeID(raw string) (id string, changed bool) {
	trimmed := strings.TrimSpace(raw)
	if strings.EqualFold(trimmed, Unknown) {
		return "", true
	}
	id = replaceUnsafe(trimmed, safeInID)
	if len(id) > MaxIDBytes {
		id = shorten(id, trimmed)
	}
	return id, id != raw
}

func shorten(id, full string) string {
	sum := sha256.Sum256([]byte(full))
	suffix := "-" + hex.EncodeToString(sum[:digestBytes])
	cut := MaxIDBytes - len(suffix)
	for cut > 0 && !utf8.RuneStart(id[cut]) {
		cut--
	}
	return id[:cut] + suffix
}

// cleanValue makes the value of a tag out of trusted but unchecked text. Unlike
// an id it may hold colons, which ARNs and image names do.
func cleanValue(s string) string {
	return replaceUnsafe(strings.TrimSpace(s), safeInValue)
}

// replaceUnsafe walks s byte-safely: each byte of an invalid UTF-8 sequence
// becomes one underscore.
func replaceUnsafe(s string, safe func(rune) bool) string {
	clean := true
	for _, r := range s {
		if r == utf8.RuneError || !safe(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		if r == utf8.RuneError || !safe(r) {
			r = '_'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func safeInID(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./", r)
}

// safeInValue excludes what separates tags (comma), fields (pipe, hash at the
// start of the tag section) and datagrams (newline).
func safeInValue(r rune) bool {
	return unicode.IsGraphic(r) && !strings.ContainsRune(",|#", r) && r != '\u00a0'
}
