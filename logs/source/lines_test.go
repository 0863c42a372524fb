package source

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/record"
)

func rec(message string, end int64) record.Record {
	return record.Record{Time: 7, Tags: "a:b", Message: []byte(message), Origin: record.Origin{Source: "s", End: end}}
}

// group is more lines than any test here needs.
func group() []record.Record { return make([]record.Record, 0, 4096) }

func TestCut(t *testing.T) {
	t.Parallel()
	like := record.Record{Time: 7, Tags: "a:b", Origin: record.Origin{Source: "s"}}
	for name, c := range map[string]struct {
		text   string
		lines  []record.Record
		used   int
		pieces int
	}{
		"nothing":             {text: ""},
		"no line feed":        {text: "abc"},
		"one line":            {text: "abc\n", lines: []record.Record{rec("abc", 14)}, used: 4},
		"empty lines":         {text: "\n\n", lines: []record.Record{rec("", 11), rec("", 12)}, used: 2},
		"rest is held":        {text: "a\nbc", lines: []record.Record{rec("a", 12)}, used: 2},
		"carriage return":     {text: "a\r\n\r\n", lines: []record.Record{rec("a\r", 13), rec("\r", 15)}, used: 5},
		"any byte":            {text: "\x00\xff\xfe\x1b[0m\n", lines: []record.Record{rec("\x00\xff\xfe\x1b[0m", 18)}, used: 8},
		"exactly the limit":   {text: "12345678\nx", lines: []record.Record{rec("12345678", 19)}, used: 9},
		"limit, not complete": {text: "12345678"},
		"above the limit": {
			text: "123456789\n", lines: []record.Record{rec("12345678", 18), rec("9", 20)}, used: 10, pieces: 1,
		},
		"twice the limit": {
			text: "1234567812345678\n", lines: []record.Record{rec("12345678", 18), rec("12345678", 27)}, used: 17, pieces: 1,
		},
		"above the limit, not complete": {
			text: "123456789", lines: []record.Record{rec("12345678", 18)}, used: 8, pieces: 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lines, used, pieces := cut(group(), []byte(c.text), 10, 8, like)
			require.Equal(t, append(group(), c.lines...), lines)
			require.Equal(t, c.used, used)
			require.Equal(t, c.pieces, pieces)
		})
	}
}

func TestCutMessagesCannotGrowIntoEachOther(t *testing.T) {
	t.Parallel()
	lines, _, _ := cut(group(), []byte("one\ntwo\n"), 0, 100, record.Record{})
	_ = append(lines[0].Message, "XXXX"...)
	require.Equal(t, "two", string(lines[1].Message))
}

// However the bytes arrive, the lines are the same and so is the text.
func TestCutDoesNotDependOnReads(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOf(rapid.SampledFrom([]byte("ab\r\n\n\x00\xff"))).Draw(t, "text")
		limit := rapid.IntRange(1, 6).Draw(t, "limit")
		whole, used, _ := cut(group(), text, 0, limit, record.Record{})

		parts := group()
		held, base, rest := []byte(nil), int64(0), text
		for len(rest) > 0 {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			held, rest = append(bytes.Clone(held), rest[:n]...), rest[n:]
			var took int
			parts, took, _ = cut(parts, held, base, limit, record.Record{})
			held, base = held[took:], base+int64(took)
		}
		require.Equal(t, whole, parts)
		require.Equal(t, text[used:], append([]byte{}, held...))
		require.LessOrEqual(t, len(held), limit)

		var rebuilt []byte
		for _, line := range whole {
			rebuilt = append(rebuilt, line.Message...)
			if int(line.Origin.End) > len(rebuilt) {
				rebuilt = append(rebuilt, '\n')
			}
			require.Len(t, rebuilt, int(line.Origin.End))
		}
		require.Equal(t, string(text[:used]), string(rebuilt))
	})
}

func TestCutStopsWhenFull(t *testing.T) {
	t.Parallel()
	dst := make([]record.Record, 0, 2)
	lines, used, _ := cut(dst, []byte("a\nb\nc\n"), 0, 8, record.Record{})
	require.Len(t, lines, 2)
	require.Equal(t, 4, used)
}

func FuzzCut(f *testing.F) {
	f.Add([]byte("a\nb\r\n\x00"), 3)
	f.Add([]byte("long line without end"), 4)
	f.Add([]byte("\n\n\n"), 1)
	f.Fuzz(func(t *testing.T, text []byte, limit int) {
		limit = max(limit, 1)
		text = text[:min(len(text), 4096)]
		lines, used, pieces := cut(group(), text, 0, limit, record.Record{})
		require.Len(t, lines, bytes.Count(text[:used], []byte("\n"))+pieces)
		require.NotContains(t, string(text[used:]), "\n")
		require.LessOrEqual(t, len(text)-used, limit)
	})
}

func TestChunkBeginsWithTheRest(t *testing.T) {
	t.Parallel()
	c := chunk{local: true}
	require.Equal(t, 5, copy(c.room([]byte("line "), 0, 5), "one\nl"))
	require.Equal(t, "line one\nl", string(c.text(5)))
	require.Equal(t, 2, copy(c.room([]byte("l"), 0, 1<<40), "in"))
	require.Equal(t, "lin", string(c.text(2)))
	require.Len(t, c.room([]byte("rest"), 0, 1<<40), maxChunk-4)
	require.Len(t, c.room(nil, 4, 1<<40), maxChunk)
	require.Equal(t, maxChunk, cap(c.memory), "it keeps its size")
	require.Len(t, c.room(nil, 0, 1<<40), maxChunk)
	require.Len(t, c.room(nil, 0, 0), 1)
	require.Len(t, c.room(make([]byte, maxChunk), 0, 1<<40), maxChunk)
	require.Len(t, c.room(nil, maxChunk, 1<<40), 2*maxChunk)
	far := chunk{}
	require.Len(t, far.room([]byte("rest"), 0, 1<<40), farChunk-4)
	require.Equal(t, farChunk, cap(far.memory))
	require.Len(t, far.room(nil, farChunk, 1<<40), 2*farChunk)
}

// However many files there are, few have a chunk, and one that is not local takes no
// turn.
func TestFewReadersHaveAChunk(t *testing.T) {
	t.Parallel()
	c := newChunks()
	var lent []*chunk
	for range readersAtOnce {
		one, err := c.borrow(t.Context(), true, 0)
		require.NoError(t, err)
		lent = append(lent, one)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.borrow(ended, true, 0)
	require.ErrorIs(t, err, context.Canceled)
	far, err := c.borrow(ended, false, 0)
	require.NoError(t, err)
	c.giveBack(far)
	_, err = c.borrow(ended, true, 0)
	require.ErrorIs(t, err, context.Canceled, "it was nobody's turn")
	c.giveBack(lent[0])
	_, err = c.borrow(t.Context(), true, 0)
	require.NoError(t, err)
}

// One chunk at a time grows for a long line, which keeps no other reader waiting.
func TestOneChunkGrows(t *testing.T) {
	t.Parallel()
	c := newChunks()
	large, err := c.borrow(t.Context(), true, maxChunk)
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.borrow(ended, true, maxChunk)
	require.ErrorIs(t, err, context.Canceled)
	for range readersAtOnce - 1 {
		_, err := c.borrow(t.Context(), true, 100)
		require.NoError(t, err)
	}
	far, err := c.borrow(ended, false, maxChunk)
	require.NoError(t, err)
	c.giveBack(far)
	large.room(make([]byte, maxChunk), 0, 1)
	c.giveBack(large)
	require.Nil(t, large.memory, "what it grew by is not kept")
	_, err = c.borrow(t.Context(), true, maxChunk)
	require.NoError(t, err)
	// Who gives up before its turn lets the next one grow.
	_, err = c.borrow(ended, true, maxChunk)
	require.ErrorIs(t, err, context.Canceled)
}
