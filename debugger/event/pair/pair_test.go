package pair

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

type orphan struct {
	entry string
	why   End
}

func recorder(budget int) (*Pairer, *[]orphan) {
	var got []orphan
	p := New(budget, func(entry []byte, why End) { got = append(got, orphan{string(entry), why}) })
	return p, &got
}

func call(goid uint64, depth uint32) Call { return Call{Target: 1, GoID: goid, Depth: depth} }

func TestNestedCalls(t *testing.T) {
	t.Parallel()
	p, orphans := recorder(1 << 20)
	p.Entry(call(7, 100), 0, []byte("outer"))
	p.Entry(call(7, 200), 0, []byte("inner"))
	p.Entry(call(8, 100), 0, []byte("other goroutine"))
	require.Equal(t, 3, p.Pending())
	require.Equal(t, "inner", string(p.Return(call(7, 200), 0)))
	p.Entry(call(7, 200), 0, []byte("inner again"))
	require.Equal(t, "inner again", string(p.Return(call(7, 200), 0)))
	require.Equal(t, "outer", string(p.Return(call(7, 100), 0)))
	require.Nil(t, p.Return(call(7, 100), 0), "once")
	require.Nil(t, p.Return(call(9, 100), 0), "it began before the probe was there")
	require.Equal(t, "other goroutine", string(p.Return(call(8, 100), 0)))
	require.Empty(t, *orphans)
	require.Zero(t, p.Bytes())
	require.Empty(t, p.stacks)
}

func TestTwoProbesOnOneFunction(t *testing.T) {
	t.Parallel()
	p, orphans := recorder(1 << 20)
	a, b := Call{GoID: 1, Depth: 64, Probe: 1}, Call{GoID: 1, Depth: 64, Probe: 2}
	p.Entry(a, 0, []byte("a"))
	p.Entry(b, 0, []byte("b"))
	require.Equal(t, "a", string(p.Return(a, 0)))
	require.Equal(t, "b", string(p.Return(b, 0)))
	require.Empty(t, *orphans)
}

func TestPanicsUnwind(t *testing.T) {
	t.Parallel()
	p, orphans := recorder(1 << 20)
	p.Entry(call(7, 100), 0, []byte("recovers"))
	p.Entry(call(7, 200), 0, []byte("calls"))
	p.Entry(call(7, 300), 0, []byte("panics"))
	require.Equal(t, "recovers", string(p.Return(call(7, 100), 0)))
	require.Equal(t, []orphan{{"panics", Unwound}, {"calls", Unwound}}, *orphans)

	p.Entry(call(7, 100), 0, []byte("lost"))
	p.Entry(call(7, 100), 0, []byte("next"))
	require.Equal(t, orphan{"lost", Unwound}, (*orphans)[2])
	require.Equal(t, "next", string(p.Return(call(7, 100), 0)))
}

// TestLostEntry loses the return of one call and the entry of the next one of the
// same frame: what is left of the two is not one call.
func TestLostEntry(t *testing.T) {
	t.Parallel()
	p, orphans := recorder(1 << 20)
	p.Entry(call(7, 100), 10, []byte("first"))
	require.Nil(t, p.Return(call(7, 100), 20))
	require.Equal(t, []orphan{{"first", Unwound}}, *orphans)
	require.Zero(t, p.Pending())
}

func TestBudgetEvictsTheOldest(t *testing.T) {
	t.Parallel()
	p, orphans := recorder(3 * (entryCost + 8))
	for i := range uint64(5) {
		p.Entry(call(i, 100), 0, fmt.Appendf(nil, "call %02d", i))
		require.LessOrEqual(t, p.Bytes(), 3*(entryCost+8))
	}
	require.Equal(t, []orphan{{"call 00", Evicted}, {"call 01", Evicted}}, *orphans)
	p.Forget(2)
	require.Equal(t, 3, p.Pending(), "of another process")
	p.Forget(1)
	require.Equal(t, []orphan{{"call 02", Ended}, {"call 03", Ended}, {"call 04", Ended}}, (*orphans)[2:])
	require.Zero(t, p.Pending())
	require.Empty(t, p.stacks)
}

// TestExpire gives back the calls that take too long, and no others.
func TestExpire(t *testing.T) {
	t.Parallel()
	p, orphans := recorder(1 << 20)
	for i := range uint64(4) {
		p.Entry(call(i, 100), 10*i, fmt.Appendf(nil, "call %d", i))
	}
	require.NotNil(t, p.Return(call(1, 100), 10))
	p.Expire(20)
	require.Equal(t, []orphan{{"call 0", Overdue}}, *orphans)
	p.Expire(100)
	require.Equal(t, []orphan{{"call 0", Overdue}, {"call 2", Overdue}, {"call 3", Overdue}}, *orphans)
	p.Expire(100)
	require.Zero(t, p.Bytes())
}

// Goroutines that call, return and panic at random: a return finds its own
// entry, every entry is given back once, and nothing is left.
func TestPairerProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		type frame struct {
			call  Call
			began uint64
			text  string
		}
		live, gone := map[uint64][]frame{}, map[string]bool{}
		p := New(rapid.IntRange(200, 5000).Draw(t, "budget"), func(entry []byte, _ End) {
			require.False(t, gone[string(entry)], "twice")
			gone[string(entry)] = true
		})
		for i := range rapid.IntRange(1, 200).Draw(t, "steps") {
			goid := rapid.Uint64Range(1, 4).Draw(t, "goroutine")
			frames := live[goid]
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1:
				depth := uint32(8)
				if len(frames) > 0 {
					depth = frames[len(frames)-1].call.Depth + 8
				}
				f := frame{call(goid, depth), uint64(i), fmt.Sprint("entry ", i)}
				if rapid.IntRange(0, 9).Draw(t, "lost") == 0 {
					gone[f.text] = true
				} else {
					p.Entry(f.call, f.began, []byte(f.text))
				}
				live[goid] = append(frames, f)
			case 2, 3:
				if len(frames) == 0 {
					continue
				}
				last := frames[len(frames)-1]
				if event := p.Return(last.call, last.began); event == nil {
					require.True(t, gone[last.text], "%s is missing", last.text)
				} else {
					require.Equal(t, last.text, string(event))
					gone[last.text] = true
				}
				live[goid] = frames[:len(frames)-1]
			case 4: // a panic that some frame recovers
				live[goid] = frames[:rapid.IntRange(0, len(frames)).Draw(t, "recovers")]
			}
		}
		p.Close()
		require.Zero(t, p.Pending())
		require.Zero(t, p.Bytes())
		require.Empty(t, p.stacks)
	})
}

func BenchmarkPair(b *testing.B) {
	p := New(1<<20, func([]byte, End) {})
	event := make([]byte, 1024)
	b.ReportAllocs()
	for i := range b.N {
		c := call(uint64(i%64), 100)
		p.Entry(c, 0, event)
		if p.Return(c, 0) == nil {
			b.Fatal("lost")
		}
	}
}
