package microvm_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/microvm"
)

func TestCase15IDStaysOneTag(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, raw, want string
		changed         bool
	}{
		{"plain", "microvm-0123456789abcdef", "microvm-0123456789abcdef", false},
		{"letters outside ASCII", "größe-1", "größe-1", false},
		{"comma", "a,b", "a_b", true},
		{"pipe", "a|b", "a_b", true},
		{"newline", "a\nb", "a_b", true},
		{"colon", "a:b", "a_b", true},
		{"all of them", "a,|\n:\x00b", "a_____b", true},
		{"not UTF-8", "a\xff\xfeb", "a__b", true},
		{"replacement rune", "a\ufffdb", "a_b", true},
		{"surrounding space", " a ", "a", true},
		{"blank", " \t", "", true},
		{"empty", "", "", false},
		{"placeholder", "Unknown", "", true},
		{"longest", strings.Repeat("x", microvm.MaxIDBytes), strings.Repeat("x", microvm.MaxIDBytes), false},
		{
			"one kilobyte", strings.Repeat("x", 1024),
			strings.Repeat("x", microvm.MaxIDBytes-17) + "-49abd65bbf7f7e40", true,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			id, changed := microvm.SanitizeID(tt.raw)
			require.Equal(t, tt.want, id)
			require.Equal(t, tt.changed, changed)
		})
	}
}

func TestLongIDsWithOnePrefixStayDistinct(t *testing.T) {
	t.Parallel()
	prefix := strings.Repeat("é", 600)
	a, _ := microvm.SanitizeID(prefix + "a")
	b, _ := microvm.SanitizeID(prefix + "b")
	require.NotEqual(t, a, b)
	require.LessOrEqual(t, len(a), microvm.MaxIDBytes)
	require.True(t, utf8.ValidString(a))
}

func FuzzSanitizeID(f *testing.F) {
	for _, seed := range []string{"", "vm-1", "a,b|c\nd:e", "\xff\xfe", strings.Repeat("é", 600), "unknown", "\ufffd"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		id, changed := microvm.SanitizeID(raw)
		require.Equal(t, id != raw, changed)
		require.LessOrEqual(t, len(id), microvm.MaxIDBytes)
		require.True(t, utf8.ValidString(id))
		require.False(t, strings.EqualFold(id, microvm.Unknown), "the placeholder is never an id")
		require.False(t, strings.ContainsAny(id, ",|:# \t\r\n\x00"), "%q is not one tag", id)
		again, changed := microvm.SanitizeID(id)
		require.Equal(t, id, again)
		require.False(t, changed, "a safe id is left alone")
	})
}

func FuzzParseARN(f *testing.F) {
	for _, seed := range []string{
		"", "arn:aws:lambda:r:1:microvm-image:a:b", "arn:aws:lambda:::microvm-image:", "::::::", "arn:aws-cn:lambda:x,y:1|2:microvm-image:\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if arn, ok := microvm.ParseARN(raw); ok {
			require.True(t, strings.HasSuffix(raw, ":"+arn.Region+":"+arn.Account+":microvm-image:"+arn.Image))
		}
		identity := microvm.FromEnv(func(string) (string, bool) { return raw, true })
		for _, tag := range append(identity.UsageTags(), identity.LogTags("")...) {
			key, value, found := strings.Cut(tag, ":")
			require.True(t, found)
			require.NotEmpty(t, key)
			require.NotEmpty(t, value)
			require.NotContains(t, tag, ",")
			require.NotContains(t, tag, "|")
			require.NotContains(t, tag, "\n")
			require.True(t, utf8.ValidString(tag))
		}
	})
}
