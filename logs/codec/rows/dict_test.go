package rows

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// dumpDict is the state of a dictionary, its sketch excepted, as text.
func dumpDict(d *dict) string {
	var out []string
	for key, e := range d.entries {
		out = append(out, fmt.Sprintf("%q %+v", key, *e))
	}
	slices.Sort(out)
	return fmt.Sprintf("%s\n%+v tx %d", strings.Join(out, "\n"), d.dictCounts, d.tx)
}

// requireConsistentDict recomputes what a dictionary counts.
func requireConsistentDict(tb testing.TB, d *dict) {
	tb.Helper()
	size, ids := 0, map[uint64]bool{}
	for key, e := range d.entries {
		require.Equal(tb, key, e.value)
		require.NotZero(tb, e.id)
		require.Less(tb, e.id, d.nextID)
		require.False(tb, ids[e.id])
		ids[e.id] = true
		size += dictState(len(key))
	}
	require.Equal(tb, size, d.bytes)
	require.LessOrEqual(tb, len(d.entries), d.maxEntries)
	require.LessOrEqual(tb, d.bytes, d.maxBytes)
}

func TestDictEvictsTheLeastRecentlyUsed(t *testing.T) {
	t.Parallel()
	d := newDict(4, 1<<10, 0)
	for _, v := range []string{"a", "b", "c", "d"} {
		d.begin()
		_, evicted, ok := d.add([]byte(v))
		require.True(t, ok)
		require.Empty(t, evicted)
	}
	d.begin()
	id, ok := d.lookup([]byte("a"))
	require.True(t, ok)
	require.EqualValues(t, 1, id)
	id, evicted, ok := d.add([]byte("e"))
	require.True(t, ok)
	require.EqualValues(t, 5, id)
	require.Equal(t, []uint64{2, 3}, evicted, "down to seven tenths")
	_, ok = d.lookup([]byte("b"))
	require.False(t, ok)
	requireConsistentDict(t, d)
}

func TestDictKeepsWhatIsInUse(t *testing.T) {
	t.Parallel()
	d := newDict(2, 1<<10, 0)
	d.begin()
	for _, v := range []string{"a", "b"} {
		_, _, ok := d.add([]byte(v))
		require.True(t, ok)
	}
	_, evicted, ok := d.add([]byte("c"))
	require.False(t, ok)
	require.Empty(t, evicted)
	requireConsistentDict(t, d)
}

func TestDictRefusesWhatNeverFits(t *testing.T) {
	t.Parallel()
	d := newDict(9, 100, 0)
	d.begin()
	_, _, ok := d.add([]byte("small"))
	require.True(t, ok)
	d.begin()
	_, evicted, ok := d.add([]byte(strings.Repeat("x", 101-EntryBytes)))
	require.False(t, ok)
	require.Empty(t, evicted, "nothing is given up for it")
	_, evicted, ok = d.add([]byte(strings.Repeat("x", 100-EntryBytes)))
	require.True(t, ok)
	require.Equal(t, []uint64{1}, evicted)
	requireConsistentDict(t, d)
}

func TestDictTransactions(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[ab]{1,4}`)
	rapid.Check(t, func(rt *rapid.T) {
		d := newDict(rapid.IntRange(1, 5).Draw(rt, "entries"), rapid.IntRange(30, 150).Draw(rt, "bytes"), 3)
		for range rapid.IntRange(1, 8).Draw(rt, "transactions") {
			words := rapid.SliceOfN(word, 0, 10).Draw(rt, "words")
			run := func() (out []string) {
				d.begin()
				for _, w := range words {
					if id, ok := d.lookup([]byte(w)); ok {
						out = append(out, fmt.Sprint("known ", id))
					} else if d.returns([]byte(w)) || len(w) == 1 {
						id, evicted, ok := d.add([]byte(w))
						out = append(out, fmt.Sprint("added ", id, evicted, ok))
					}
					requireConsistentDict(t, d)
				}
				return out
			}
			before, seen := dumpDict(d), d.seen
			first := run()
			if rapid.Bool().Draw(rt, "roll back") {
				d.rollback()
				require.Equal(t, before, dumpDict(d))
				require.Equal(t, seen, d.seen, "a rollback leaves no trace in the sketch")
				require.Equal(t, first, run())
			}
		}
	})
}
