package intake

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
)

// TestKeyRotation: a new key is listed beside the old one, later the old one goes; a
// file that somebody broke changes nothing. Streams that are open stay.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keys")
	put := func(text string) {
		require.NoError(t, os.WriteFile(file+".new", []byte(text), 0o600))
		require.NoError(t, os.Rename(file+".new", file))
	}
	put("old\n")
	s, _ := serve(t, Config{APIKeyFile: file}, Deps{})
	takes := func(key string) bool {
		c := connect(t, s, keyHeader, key)
		send(t, c, 1, nil)
		_, err := c.Recv()
		return err == nil
	}
	open := connect(t, s, keyHeader, "old")
	send(t, open, 1, nil)
	wantAck(t, open, 1)
	require.False(t, takes("new"))
	put("new\nold\n")
	require.Eventually(t, func() bool { return takes("new") }, waitFor, 50*time.Millisecond)
	require.True(t, takes("old"))
	put("\n")
	time.Sleep(time.Second)
	require.True(t, takes("new"))
	put("new\n")
	require.Eventually(t, func() bool { return !takes("old") }, waitFor, 50*time.Millisecond)
	wantEnd(t, connect(t, s, keyHeader, "old"), codes.Unauthenticated, "dd-api-key does not match: set the same api_key on both sides")
	wantEnd(t, connect(t, s), codes.Unauthenticated, "no dd-api-key header")
	send(t, open, 2, nil)
	wantAck(t, open, 2)
}
