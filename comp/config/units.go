package config

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Patterns of the two kinds with a unit, also given by the schema.
const (
	durationPattern = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`
	sizePattern     = `^[0-9]+(\.[0-9]+)? ?(B|KB|MB|GB|KiB|MiB|GiB)$`
)

var (
	durationSyntax = regexp.MustCompile(durationPattern)
	sizeSyntax     = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) ?(B|KB|MB|GB|KiB|MiB|GiB)$`)
	plainNumber    = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
)

// Reasons why a text is not a duration or a size.
var (
	errNoUnit    = errors.New("the unit is missing")
	errNotUnits  = errors.New("not a number with a unit")
	errTooLarge  = errors.New("too large")
	errFractions = errors.New("not a whole number of bytes")
)

// sizeUnits are the units of a size, the largest first within each family; KB
// is 1000 bytes and KiB is 1024.
var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6}, {"KiB", 1 << 10}, {"KB", 1e3}, {"B", 1},
}

// parseDuration reads "5m" or "1h30m". Negative durations have no use here.
func parseDuration(text string) (time.Duration, error) {
	switch {
	case text == "0":
		return 0, nil
	case plainNumber.MatchString(text):
		return 0, errNoUnit
	case !durationSyntax.MatchString(text):
		return 0, errNotUnits
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, errTooLarge // the syntax is right, so only the range can be wrong
	}
	return d, nil
}

// parseSize reads "5MB" or "1.5 MiB".
func parseSize(text string) (int, error) {
	if text == "0" {
		return 0, nil
	}
	if plainNumber.MatchString(text) {
		return 0, errNoUnit
	}
	match := sizeSyntax.FindStringSubmatch(text)
	if match == nil {
		return 0, errNotUnits
	}
	number, err := strconv.ParseFloat(match[1], 64)
	if err != nil {
		return 0, errTooLarge
	}
	for _, u := range sizeUnits {
		if u.name != match[2] {
			continue
		}
		number *= float64(u.bytes)
	}
	switch {
	case number >= 1<<53: // from here on floats have gaps
		return 0, errTooLarge
	case number != math.Trunc(number):
		return 0, errFractions
	}
	return int(number), nil
}

// formatDuration writes what parseDuration reads, without zero parts: "5m", not
// "5m0s".
func formatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// formatSize writes the size in the largest unit that needs no fraction.
func formatSize(n int) string {
	for _, u := range sizeUnits {
		if n > 0 && int64(n)%u.bytes == 0 {
			return strconv.FormatInt(int64(n)/u.bytes, 10) + u.name
		}
	}
	return strconv.Itoa(n) + "B"
}
