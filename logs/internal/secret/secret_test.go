package secret

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"key":                       {"key"},
		" key \r\n\n":               {"key"},
		"\n\nnew-1\nkey-0\n":        {"new-1", "key-0"},
		strings.Repeat("x", 4096):   {strings.Repeat("x", 4096)},
		"":                          nil,
		" \n\t":                     nil,
		"two words":                 nil,
		"key\nk\x00y":               nil,
		"kéy":                       nil,
		strings.Repeat("x\n", 2049): nil,
	} {
		path := filepath.Join(t.TempDir(), "key")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		got, err := Keys(path)
		require.Equal(t, want, got, "%q", text)
		if want == nil {
			require.Error(t, err)
			require.NotContains(t, err.Error(), "words")
		}
		first, err := Key(path)
		require.Equal(t, want == nil, err != nil)
		if want != nil {
			require.Equal(t, want[0], first)
		}
	}
}

// TestWhatIsNoFile is refused at once: a pipe would be waited for.
func TestWhatIsNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	for _, path := range []string{dir, pipe} {
		_, err := Keys(path)
		require.EqualError(t, err, "is not a regular file: a key is read from its file again and again")
	}
	_, err := Keys(filepath.Join(dir, "missing"))
	require.ErrorIs(t, err, os.ErrNotExist)
}
