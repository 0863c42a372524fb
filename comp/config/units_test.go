package config

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "5m": 5 * time.Minute, "1h30m": 90 * time.Minute, "4500ms": 4500 * time.Millisecond, "1.5s": 1500 * time.Millisecond, "2us": 2000, "2µs": 2000,
	} {
		got, err := parseDuration(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for text, want := range map[string]error{
		"5": errNoUnit, "1.5": errNoUnit, "": errNotUnits, "-5s": errNotUnits, "5 s": errNotUnits, "1d": errNotUnits, ".5s": errNotUnits, "999999999999h": errTooLarge,
	} {
		_, err := parseDuration(text)
		require.Equal(t, want, err, text)
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"0": 0, "0B": 0, "7B": 7, "5MB": 5_000_000, "5 MB": 5_000_000, "1KiB": 1024, "1.5MiB": 3 << 19, "2GB": 2_000_000_000, "1GiB": 1 << 30, "3KB": 3000,
	} {
		got, err := parseSize(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for text, want := range map[string]error{
		"5": errNoUnit, "5mb": errNotUnits, "-5MB": errNotUnits, "MB": errNotUnits, "5TB": errNotUnits, "0.5B": errFractions, "9007199254740993B": errTooLarge, "9999999999GB": errTooLarge,
	} {
		_, err := parseSize(text)
		require.Equal(t, want, err, text)
	}
}

// TestUnitsAreReadBack: what a dump writes means the same when it is read, and
// the patterns of the schema accept it.
func TestUnitsAreReadBack(t *testing.T) {
	t.Parallel()
	durationSchema, sizeSchema := regexp.MustCompile(durationPattern), regexp.MustCompile(sizePattern)
	rapid.Check(t, func(t *rapid.T) {
		d := time.Duration(rapid.Int64Range(0, int64(1000*time.Hour)).Draw(t, "duration"))
		text := formatDuration(d)
		got, err := parseDuration(text)
		require.NoError(t, err)
		require.Equal(t, d, got, text)
		require.Regexp(t, durationSchema, text)

		n := rapid.IntRange(0, 1<<53-1).Draw(t, "size")
		text = formatSize(n)
		size, err := parseSize(text)
		require.NoError(t, err)
		require.Equal(t, n, size, text)
		require.Regexp(t, sizeSchema, text)
	})
}

func TestFormatIsShort(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		5 * time.Minute: "5m", time.Hour: "1h", 90 * time.Minute: "1h30m", 90 * time.Second: "1m30s", 100 * time.Minute: "1h40m", 10 * time.Second: "10s", 0: "0s", time.Hour + time.Second: "1h0m1s",
	} {
		require.Equal(t, want, formatDuration(d))
	}
	for n, want := range map[int]string{5_000_000: "5MB", 1 << 20: "1MiB", 1500: "1500B", 0: "0B", 2000: "2KB", 1 << 30: "1GiB", 1_000_000_000: "1GB"} {
		require.Equal(t, want, formatSize(n))
	}
}
