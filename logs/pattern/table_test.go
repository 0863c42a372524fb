package pattern

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var wide = Limits{MaxPatterns: 700, MaxStateBytes: 1 << 20, MaxLineBytes: 1 << 12, EntryBytes: 10}

// learn files one line in the running transaction.
func learn(t *Table, line string) *Pattern {
	_, p := t.File(nil, []byte(line))
	return p
}

// batch learns lines in one transaction, defines what repeats, and returns the
// template of each line, values shown as *.
func batch(t testing.TB, tab *Table, lines ...string) []string {
	t.Helper()
	tab.Begin()
	pats := make([]*Pattern, len(lines))
	for i, l := range lines {
		pats[i] = learn(tab, l)
	}
	out := make([]string, len(lines))
	for i, p := range pats {
		if p == nil {
			out[i] = "none"
			continue
		}
		requireRebuilds(t, p, lines[i])
		if p.Seen() > 1 {
			_, ok := tab.Define(p)
			require.True(t, ok)
		}
		out[i] = stars(p)
	}
	tab.Commit()
	return out
}

func stars(p *Pattern) string {
	text, pos := p.Template()
	var b strings.Builder
	at := uint32(0)
	for _, x := range pos {
		b.Write(text[at:x])
		b.WriteByte('*')
		at = x
	}
	b.Write(text[at:])
	return b.String()
}

// requireRebuilds checks the contract: template and values give the line.
func requireRebuilds(t testing.TB, p *Pattern, line string) {
	t.Helper()
	toks := Tokenize(nil, []byte(line))
	text, pos := p.Template()
	slots := p.Slots()
	require.Len(t, slots, len(pos))
	var b []byte
	at := uint32(0)
	for i, s := range slots {
		require.GreaterOrEqual(t, pos[i], at)
		b = append(b, text[at:pos[i]]...)
		b = append(b, Span([]byte(line), toks, int(s.From), int(s.To))...)
		at = pos[i]
	}
	require.Equal(t, line, string(append(b, text[at:]...)))
}

func TestP1ValuesVary(t *testing.T) {
	t.Parallel()
	tab := NewTable(wide)
	require.Equal(t, slices.Repeat([]string{"conn from * *"}, 3),
		batch(t, tab, "conn from 10.0.0.1 30s", "conn from 10.0.0.2 45s", "conn from 10.1.0.1 1m"))
	require.Equal(t, 1, tab.Patterns())
}

func TestP2FirstWordIsProtected(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"ERROR x", "WARN x", "12:00:01 ERROR a b c d", "12:00:02 WARN a b c d"},
		batch(t, NewTable(wide), "ERROR x", "WARN x", "12:00:01 ERROR a b c d", "12:00:02 WARN a b c d"))
}

func TestP3ProtectionLifts(t *testing.T) {
	t.Parallel()
	tab := NewTable(wide)
	name := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), i/26+1) }
	for i := range 100 {
		require.Equal(t, slices.Repeat([]string{name(i) + " logged in"}, 2), batch(t, tab, name(i)+" logged in", name(i)+" logged in"))
	}
	require.Equal(t, 100, tab.Patterns())
	// The next line shares the oldest pattern, which becomes wider under its id.
	tab.Begin()
	p := learn(tab, name(100)+" logged in")
	require.EqualValues(t, 1, p.ID())
	require.False(t, p.Defined())
	require.Equal(t, "* logged in", stars(p))
	evicted, ok := tab.Define(p)
	require.True(t, ok)
	require.Empty(t, evicted)
	tab.Commit()
	require.Equal(t, []string{"* logged in", "b logged in", "* logged in"}, batch(t, tab, name(200)+" logged in", "b logged in", "a logged in"))
	require.Equal(t, 100, tab.Patterns())
	require.Equal(t, []string{"c rebooted twice"}, batch(t, tab, "c rebooted twice"), "other words are not free to vary")
}

func TestP4PunctuationSeparates(t *testing.T) {
	t.Parallel()
	lines := []string{"Status: OK", "Status; OK", "Status OK", "Status  OK", "Status\tOK", "Status:: OK", "Status OK "}
	require.Equal(t, lines, batch(t, NewTable(wide), lines...))
}

func TestWordsVaryWithinLimits(t *testing.T) {
	t.Parallel()
	tab := NewTable(wide)
	require.Equal(t, []string{"job * failed"}, batch(t, tab, "job alpha failed", "job beta failed")[:1], "one word may always vary")
	require.Equal(t, []string{"job * failed", "job x succeeded"}, batch(t, tab, "job gamma failed", "job x succeeded"))
	require.Equal(t, []string{"one two three four five six seven eight nine ten", "one 2 three 4 five 6 seven eight nine ten"},
		batch(t, tab, "one two three four five six seven eight nine ten", "one 2 three 4 five 6 seven eight nine ten"))
	require.Equal(t, "one two three four five six seven eight * *",
		batch(t, tab, "one two three four five six seven eight x y")[0], "two of ten")
	require.Equal(t, "one two three four a b c eight nine ten", batch(t, tab, "one two three four a b c eight nine ten")[0], "not three")
}

func TestFullClusterWidens(t *testing.T) {
	t.Parallel()
	tab := NewTable(wide)
	word := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), i/26+1) }
	for i := range maxCluster {
		line := fmt.Sprintf("call %s then %s", word(i), word(i+50))
		require.Equal(t, line, batch(t, tab, line)[0])
	}
	require.Equal(t, "call * then *", batch(t, tab, "call foo then bar")[0])
}

func TestD20_LinesWithoutPattern(t *testing.T) {
	t.Parallel()
	tab := NewTable(wide)
	require.Equal(t, []string{"none", "none", "none"}, batch(t, tab, "", strings.Repeat("a", wide.MaxLineBytes+1), strings.Repeat("a ", MaxTokens/2+1)))
	require.Equal(t, []string{strings.Repeat("a", wide.MaxLineBytes), strings.Repeat("a ", MaxTokens/2)},
		batch(t, tab, strings.Repeat("a", wide.MaxLineBytes), strings.Repeat("a ", MaxTokens/2)))
}

func TestEvictionStartsWithTheLowestScore(t *testing.T) {
	t.Parallel()
	tab := NewTable(Limits{MaxPatterns: 4, MaxStateBytes: 1000, MaxLineBytes: 100, EntryBytes: 10})
	for _, l := range []string{"a", "b", "c", "d"} {
		batch(t, tab, l+" line", l+" line")
	}
	batch(t, tab, "a line")
	require.Equal(t, 4, tab.Patterns())
	tab.Begin()
	p := learn(tab, "e line")
	learn(tab, "e line")
	evicted, ok := tab.Define(p)
	require.True(t, ok)
	require.Equal(t, []uint64{2, 3}, evicted, "down to 85 % of what leaves room for one")
	require.EqualValues(t, 5, p.ID())
	require.Equal(t, 3, tab.Patterns())
	require.Equal(t, 3*(len("a line")+10), tab.StateBytes())
	tab.Commit()
	requireConsistent(t, tab)
}

func TestUsedPatternsStay(t *testing.T) {
	t.Parallel()
	tab := NewTable(Limits{MaxPatterns: 2, MaxStateBytes: 1000, MaxLineBytes: 100, EntryBytes: 10})
	tab.Begin()
	var pats []*Pattern
	for _, l := range []string{"a line", "b line"} {
		pats = append(pats, learn(tab, l))
		_, ok := tab.Define(pats[len(pats)-1])
		require.True(t, ok)
	}
	c := learn(tab, "c line")
	require.NotNil(t, c)
	evicted, ok := tab.Define(c)
	require.False(t, ok, "both are in use")
	require.Empty(t, evicted)
	require.Same(t, c, learn(tab, "c line"), "it stays a candidate")
	tab.Commit()
	tab.Begin()
	evicted, ok = tab.Define(learn(tab, "c line"))
	require.True(t, ok)
	require.Equal(t, []uint64{1, 2}, evicted)
	tab.Commit()
	requireConsistent(t, tab)
}

func TestCandidatesAreBounded(t *testing.T) {
	t.Parallel()
	tab := NewTable(Limits{MaxPatterns: 10, MaxStateBytes: 400, MaxMemoryBytes: 6000, MaxLineBytes: 200, EntryBytes: 10})
	for i := range 500 {
		require.NotEqual(t, "none", batch(t, tab, strings.Repeat("=", i+1)[:min(i+1, 90)]+" shape "+strings.Repeat("-", 1+i/90))[0])
		require.LessOrEqual(t, tab.Candidates(), 10)
		require.LessOrEqual(t, tab.MemoryBytes(), tab.limits.MaxMemoryBytes)
	}
	requireConsistent(t, tab)
	require.Less(t, len(tab.families), 11, "families go with their patterns")
	tab.Begin()
	for i := range 20 {
		learn(tab, strings.Repeat("#", i+1))
	}
	require.Nil(t, learn(tab, strings.Repeat("#", 30)), "lines of this transaction are not evicted")
	tab.Commit()
	requireConsistent(t, tab)
}

func TestWidenedPatternWithoutRoomStaysStale(t *testing.T) {
	t.Parallel()
	tab := NewTable(Limits{MaxPatterns: 9, MaxStateBytes: 10 + len("job a done"), MaxLineBytes: 100, EntryBytes: 10})
	require.Equal(t, []string{"job a done", "job a done"}, batch(t, tab, "job a done", "job a done"))
	tab.Begin()
	p := learn(tab, "job b done")
	require.EqualValues(t, 1, p.ID())
	_, ok := tab.Define(p)
	require.False(t, ok, "a position weighs more than the letter it replaces")
	require.False(t, p.Defined())
	tab.Commit()
	require.Equal(t, 10+len("job a done"), tab.StateBytes())
	requireConsistent(t, tab)
}

// held is the memory a pattern really holds.
func held(p *Pattern) int {
	return int(unsafe.Sizeof(*p)) + cap(p.line) + int(unsafe.Sizeof(Token{}))*cap(p.toks) + cap(p.template) + 4*cap(p.pos) + 4*cap(p.slots)
}

// dumpTable is the whole state of a table as text.
func dumpTable(tab *Table) string {
	var out []string
	for key, c := range tab.clusters {
		for i, p := range c.patterns {
			out = append(out, fmt.Sprintf("cluster %x %d: %q %+v %v", key, i, p.line, p.state, p.serial))
		}
	}
	for key, f := range tab.families {
		out = append(out, fmt.Sprintf("family %x: %+v", key, *f))
	}
	slices.Sort(out)
	return fmt.Sprintf("%s\n%+v tx %d", strings.Join(out, "\n"), tab.counts, tab.tx)
}

// requireConsistent recomputes every count of a table.
func requireConsistent(t testing.TB, tab *Table) {
	t.Helper()
	want := counts{nextID: tab.nextID, nextSerial: tab.nextSerial, now: tab.now, oldest: tab.oldest}
	families := map[uint64]int{}
	ids := map[uint64]bool{}
	for key, c := range tab.clusters {
		require.NotEmpty(t, c.patterns)
		for _, p := range c.patterns {
			require.Equal(t, key, p.cluster)
			families[p.family]++
			want.memory += p.memory()
			require.LessOrEqual(t, held(p), p.memory())
			if p.id == 0 {
				want.candidates++
				continue
			}
			want.definedMemory += p.memory()
			require.False(t, ids[p.id])
			ids[p.id] = true
			want.defined++
			want.stateBytes += p.weighs
			if p.Defined() {
				text, pos := p.Template()
				require.Equal(t, len(text)+4*len(pos)+tab.limits.EntryBytes, p.weighs)
			}
		}
	}
	for _, f := range tab.families {
		want.memory += f.memory
		require.LessOrEqual(t, 4*cap(f.words), f.memory)
	}
	require.Equal(t, want, tab.counts)
	require.Len(t, tab.families, len(families))
	for key, n := range families {
		require.Equal(t, n, tab.families[key].patterns)
	}
	require.LessOrEqual(t, tab.defined, tab.limits.MaxPatterns)
	require.LessOrEqual(t, tab.stateBytes, tab.limits.MaxStateBytes)
	require.LessOrEqual(t, tab.candidates, tab.limits.MaxPatterns)
	require.LessOrEqual(t, tab.memory, tab.limits.MaxMemoryBytes)
}

func anyLine() *rapid.Generator[string] {
	word := rapid.SampledFrom(strings.Fields("a b c dd ee 1 22 3.5 /p/q"))
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(word, 1, 6).Draw(t, "words"), rapid.SampledFrom([]string{" ", " ", " ", ": "}).Draw(t, "separator"))
	})
}

// Any sequence of transactions keeps the table consistent; one that is rolled back
// leaves no trace at all, and what it did is possible again.
func TestTransactions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		tab := NewTable(Limits{
			MaxPatterns:    rapid.IntRange(1, 8).Draw(rt, "patterns"),
			MaxStateBytes:  rapid.IntRange(20, 200).Draw(rt, "bytes"),
			MaxMemoryBytes: rapid.IntRange(500, 6000).Draw(rt, "memory"),
			MaxLineBytes:   40, EntryBytes: 5, MaxIdle: 5,
		})
		now := int64(100)
		for range rapid.IntRange(1, 8).Draw(rt, "transactions") {
			lines := rapid.SliceOfN(anyLine(), 0, 12).Draw(rt, "lines")
			now += rapid.Int64Range(0, 4).Draw(rt, "later")
			run := func() (out []string) {
				tab.Begin()
				out = append(out, fmt.Sprint(tab.Advance(now)))
				var pats []*Pattern
				for _, l := range lines {
					pats = append(pats, learn(tab, l))
				}
				for i, p := range pats {
					if p == nil {
						continue
					}
					requireRebuilds(t, p, lines[i])
					if p.Seen() > 1 {
						evicted, ok := tab.Define(p)
						out = append(out, fmt.Sprint(p.ID(), ok, evicted, stars(p)))
					}
				}
				return out
			}
			before := dumpTable(tab)
			first := run()
			requireConsistent(t, tab)
			if rapid.Bool().Draw(rt, "roll back") {
				tab.Rollback()
				require.Equal(t, before, dumpTable(tab))
				require.Equal(t, first, run())
			}
			tab.Commit()
			requireConsistent(t, tab)
		}
	})
}

// A rollback restores the protection of first words too.
func TestRollbackOfLiftedProtection(t *testing.T) {
	t.Parallel()
	tab := NewTable(wide)
	name := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), i/26+1) }
	for i := range firstWords {
		batch(t, tab, name(i)+" logged in", name(i)+" logged in")
	}
	before := dumpTable(tab)
	for range 2 {
		tab.Begin()
		require.Equal(t, "* logged in", stars(learn(tab, name(firstWords)+" logged in")))
		require.Equal(t, "* logged in", stars(learn(tab, name(firstWords+1)+" logged in")))
		tab.Rollback()
		require.Equal(t, before, dumpTable(tab))
	}
}

func TestHashIsTheSameEverywhere(t *testing.T) {
	t.Parallel()
	// Changing the hash changes which patterns share a bucket, and so the bytes
	// that equal input gives.
	require.Equal(t, []uint64{0xc9d874ca57d9e055, 0x6aa9d59e9172ff57}, []uint64{Hash(nil), Hash([]byte("a string of 3 words"))})
}

func TestLearnDoesNotAllocate(t *testing.T) {
	tab := NewTable(wide)
	line := []byte("2026-03-09 06:00:01,123 INFO [main] a.b.C: conn from 10.0.0.1:80 took 30s")
	toks := Tokenize(nil, line)
	batch(t, tab, string(line), string(line))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		tab.Begin()
		if p := tab.Learn(line, toks); p == nil || !p.Defined() {
			panic("not learnt")
		}
		tab.Commit()
	}))
}
