package pattern

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// sent learns lines in a transaction of their own and defines what pays.
func sent(t *testing.T, tab *Table, now int64, lines ...string) (removed []uint64) {
	t.Helper()
	tab.Begin()
	removed = append(removed, tab.Advance(now)...)
	pats := make([]*Pattern, len(lines))
	for i, l := range lines {
		pats[i] = learn(tab, l)
	}
	for _, p := range pats {
		if p != nil && !p.Defined() && tab.Pays(p) {
			evicted, _ := tab.Define(p)
			removed = append(removed, evicted...)
		}
	}
	tab.Commit()
	requireConsistent(t, tab)
	return removed
}

func TestIdlePatternsAreForgotten(t *testing.T) {
	t.Parallel()
	l := wide
	l.MaxIdle = 60
	tab := NewTable(l)
	require.Empty(t, sent(t, tab, 1000, "worker 1 is done", "worker 2 is done", "a line seen once"))
	require.Empty(t, sent(t, tab, 1060, "job 1 was started", "job 2 was started"), "as old as may be")
	require.Equal(t, 1, tab.Candidates())
	require.Equal(t, []uint64{1}, sent(t, tab, 1061))
	require.Zero(t, tab.Candidates(), "candidates are forgotten too")
	require.Empty(t, sent(t, tab, 500, "job 3 was started"), "a clock that was set back forgets nothing")
	require.Equal(t, []uint64{2}, sent(t, tab, 1122, "worker 1 is done", "worker 2 is done"))
	require.Equal(t, []Volume{{ID: 3, Template: "worker <*> is done", Lines: 2, Bytes: 32}}, tab.Top(9))
}

// A clock that jumps a day ahead and back again leaves the table as useful as before.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	l := wide
	l.MaxIdle = 60
	tab := NewTable(l)
	sent(t, tab, 1000, "worker 1 is done", "worker 2 is done")
	require.Equal(t, []uint64{1}, sent(t, tab, 90_000, "worker 1 is done", "worker 2 is done"))
	require.Empty(t, sent(t, tab, 1010, "worker 3 is done"))
	require.Empty(t, sent(t, tab, 1070, "else"))
	require.Equal(t, []uint64{2}, sent(t, tab, 1071, "else"), "and goes by the clock that is right now")
}

func TestForgettingIsUndone(t *testing.T) {
	t.Parallel()
	l := wide
	l.MaxIdle = 60
	tab := NewTable(l)
	sent(t, tab, 1000, "worker 1 is done", "worker 2 is done")
	before := dumpTable(tab)
	for range 2 {
		tab.Begin()
		require.Equal(t, []uint64{1}, tab.Advance(2000))
		tab.Rollback()
		require.Equal(t, before, dumpTable(tab))
	}
}

func TestOnlyWhatPaysIsTold(t *testing.T) {
	t.Parallel()
	tab := NewTable(wide)
	tab.Begin()
	pays := func(line string) bool { return tab.Pays(learn(tab, line)) }
	require.False(t, pays("a line that is long but was seen only once, so that it saves nothing"))
	require.False(t, pays("worker 1 is done"))
	require.True(t, pays("worker 2 is done"))
	for i := range 20 {
		require.False(t, pays(fmt.Sprintf("%d, %d", i, i+1)), "two values cost more than a comma and a space")
	}
	short := 0
	for i := range 20 {
		if !pays(fmt.Sprint("at: ", i)) {
			short++
		}
	}
	require.Equal(t, 5, short, "what saves a byte a line takes more lines to pay")
}

func TestWideTemplatesLose(t *testing.T) {
	t.Parallel()
	tab := NewTable(wide)
	tab.Begin()
	p := learn(tab, "ab cd 1")
	_, ok := tab.Define(p)
	require.True(t, ok)
	require.False(t, tab.Loses(p))
	p.widen([]byte("xy zz 2"), Tokenize(nil, []byte("xy zz 2")))
	require.Equal(t, "<*> <*> <*>", p.String())
	require.True(t, tab.Loses(p))
	require.EqualValues(t, 1, tab.Drop(p))
	require.Zero(t, p.ID())
	require.False(t, tab.Pays(p))
	require.Zero(t, tab.Drop(p), "it is gone already")
	requireConsistent(t, tab)
	tab.Commit()
	require.Zero(t, tab.Patterns())
}

func TestDropIsUndone(t *testing.T) {
	t.Parallel()
	tab := NewTable(wide)
	sent(t, tab, 0, "worker 1 is done", "worker 2 is done")
	before := dumpTable(tab)
	tab.Begin()
	require.EqualValues(t, 1, tab.Drop(learn(tab, "worker 3 is done")))
	tab.Rollback()
	require.Equal(t, before, dumpTable(tab))
}

// A shape that returns is told although its candidates never last.
func TestSketchRemembersEvictedCandidates(t *testing.T) {
	t.Parallel()
	tab := NewTable(Limits{MaxPatterns: 4, MaxStateBytes: 4000, MaxLineBytes: 200, EntryBytes: 10})
	for i := range 10 {
		sent(t, tab, 0, "every so often this line "+fmt.Sprint(i))
		for j := range 8 {
			sent(t, tab, 0, strings.Repeat("#", 1+i*8+j)+" noise of its own shape")
		}
	}
	top := tab.Top(100)
	var ids []uint64
	for _, v := range top {
		if v.Template == "every so often this line <*>" || v.Template == "every so often this line 9" {
			ids = append(ids, v.ID)
		}
	}
	require.NotEmpty(t, ids)
	require.NotZero(t, ids[0])
}

func TestD22_MemoryIsBounded(t *testing.T) {
	t.Parallel()
	tab := NewTable(Limits{MaxPatterns: 1000, MaxStateBytes: 100_000, MaxMemoryBytes: 30_000, MaxLineBytes: 2000, EntryBytes: 10})
	for i := range 400 {
		shape := strings.Repeat("=", 1+i) + " shape of "
		sent(t, tab, 0, shape+"1", shape+"2")
		require.LessOrEqual(t, tab.MemoryBytes(), 30_000)
		require.LessOrEqual(t, tab.definedMemory*4, 30_000*3)
	}
	require.NotZero(t, tab.Patterns())
}

func TestTopListsTheLargest(t *testing.T) {
	t.Parallel()
	tab := NewTable(wide)
	sent(t, tab, 0, "worker 1 is done", "worker 2 is done", "one line of some length", "x")
	require.Equal(t, []Volume{
		{ID: 1, Template: "worker <*> is done", Lines: 2, Bytes: 32},
		{Template: "one line of some length", Lines: 1, Bytes: 23},
	}, tab.Top(2))
	require.Len(t, tab.Top(10), 3)
}
