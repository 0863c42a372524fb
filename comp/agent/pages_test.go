package agent

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadOnly(t *testing.T) {
	t.Parallel()
	const maps = `00400000-00c3d000 r-xp 00000000 fe:00 1212  /usr/bin/vigil
00c3d000-018c6000 r--p 0083d000 fe:00 1212  /usr/bin/vigil
01941000-01951000 rw-p 01541000 fe:00 1212  /usr/bin/vigil
c000000000-c000400000 r--p 00000000 00:00 0
7f0000000000-7f0000001000 r--p 00000000 fe:00 77  /usr/bin/app
`
	got, err := readOnly(strings.NewReader(maps), "/usr/bin/vigil")
	require.NoError(t, err)
	require.Equal(t, []pages{{0x400000, 0xc3d000}, {0xc3d000, 0x18c6000}}, got)
	_, err = readOnly(strings.NewReader("rubbish"), "/usr/bin/vigil")
	require.ErrorContains(t, err, `"rubbish"`)
}

// Pages that were written are the only ones there are.
func TestClean(t *testing.T) {
	t.Parallel()
	const file, written, absent, swapped = 1<<63 | 1<<61 | 99, 1<<63 | 1<<56, 0, 1 << 62
	var entries []byte
	for _, e := range []uint64{file, file, written, absent, file, swapped, written, file} {
		entries = binary.NativeEndian.AppendUint64(entries, e)
	}
	require.Equal(t, []pages{{0, 2}, {4, 5}, {7, 8}}, clean(entries))
	require.Empty(t, clean(nil))
}

// The program goes on as before: its code and constants come back when used.
func TestGiveBack(t *testing.T) {
	require.NoError(t, giveBack())
	require.Equal(t, "constant", string([]byte("constant")))
}
