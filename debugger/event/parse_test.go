package event

import (
	"encoding/hex"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// sample is an event with every part: frames, a hole, items with and without
// data, reasons, data that needs padding.
func sample() *Event {
	e := &Event{
		Probe: 1, Site: 2, PID: 4242, TID: 4243, Target: 3, GoID: 17, Ktime: 0x1122334455667788, Incomplete: true,
		StackID: 0xfeed, PC: 0x401000, Depth: 640, CPU: 1, EntryKtime: 0x1122334455660000,
		Stack: []uint64{0x401000, 0x402000},
		Items: []Item{
			{Addr: 0xc000_1000, Data: []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}},
			{Type: 5, Addr: 0xc000_2000, Data: []byte("héllo"), Reason: ReasonLength},
			{Type: 0x7ff_ffff, Addr: 0xdead_beef, Data: []byte{}, Reason: ReasonUnavailable},
		},
	}
	e.MarkUnread(8, 8)
	return e
}

func TestGoldenBytes(t *testing.T) {
	t.Parallel()
	path := filepath.Join("testdata", "event.hex")
	got := Append(nil, sample())
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(path, []byte(hex.Dump(got)), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), hex.Dump(got))

	var e Event
	require.NoError(t, Parse(got, &e))
	require.Equal(t, sample(), &e)
}

func TestParseReusesStorageAndForgetsTheLastEvent(t *testing.T) {
	t.Parallel()
	var e Event
	require.NoError(t, Parse(Append(nil, sample()), &e))
	small := &Event{Probe: 9, Stack: []uint64{}, Items: []Item{{Data: []byte{}}}, holes: []hole{}}
	require.NoError(t, Parse(Append(nil, small), &e))
	require.Equal(t, small, &e)
}

func TestParseAcceptsTrailingBytes(t *testing.T) {
	t.Parallel()
	var e Event
	require.NoError(t, Parse(append(Append(nil, sample()), "leftover"...), &e))
	require.Equal(t, sample(), &e)
}

func TestParseNamesThePlaceOfAFault(t *testing.T) {
	t.Parallel()
	edit := func(at int, b ...byte) []byte {
		buf := Append(nil, sample())
		copy(buf[at:], b)
		return buf
	}
	for name, c := range map[string]struct {
		buf  []byte
		want string
	}{
		"short":         {make([]byte, 79), "malformed event at byte 79: 79 bytes are fewer than the header's 80"},
		"length":        {edit(0, 0xff, 0xff), "malformed event at byte 0: length 65535 does not fit a record of 184 bytes"},
		"odd length":    {edit(0, 73), "malformed event at byte 0: length 73 does not fit a record of 184 bytes"},
		"no header":     {edit(0, 40), "malformed event at byte 0: length 40 does not fit a record of 184 bytes"},
		"version":       {edit(4, 9), "malformed event at byte 4: layout version 9 is not 3: the kernel program and this reader come from different builds"},
		"frames":        {edit(6, 0xff), "malformed event at byte 6: 255 program counters do not fit 104 bytes"},
		"item size":     {edit(100, 0xff, 0xff), "malformed event at byte 100: an item of 65535 bytes does not fit the 72 left"},
		"item cut":      {edit(0, 104), "malformed event at byte 96: 8 bytes are fewer than an item's header"},
		"reason":        {edit(99, 0xf8), "malformed event at byte 96: reason 31 is not known"},
		"hole has data": {edit(132, 8), "malformed event at byte 132: a hole of the root has 8 bytes of data"},
		"no root":       {edit(96, 1), "malformed event at byte 96: the first item has type 1, not the root's 0"},
	} {
		e := *sample()
		err := Parse(c.buf, &e)
		require.ErrorIs(t, err, ErrMalformed, name)
		require.EqualError(t, err, c.want, name)
		e.Stack, e.Items, e.holes = nil, nil, nil
		require.Equal(t, Event{}, e, name)
	}
}

func TestAppendThenParseIsIdentity(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := &Event{
			Probe: rapid.Uint32().Draw(t, "probe"), Site: rapid.Uint32().Draw(t, "site"),
			PID: rapid.Uint32().Draw(t, "pid"), TID: rapid.Uint32().Draw(t, "tid"), Target: rapid.Uint32().Draw(t, "target"),
			GoID: rapid.Uint64().Draw(t, "goid"), Ktime: rapid.Uint64().Draw(t, "ktime"),
			Incomplete: rapid.Bool().Draw(t, "incomplete"),
			EntryKtime: rapid.Uint64().Draw(t, "entry"), StackID: rapid.Uint64().Draw(t, "stack id"), PC: rapid.Uint64().Draw(t, "pc"), Depth: rapid.Uint32().Draw(t, "depth"), CPU: rapid.Uint32().Draw(t, "cpu"),
			Stack: rapid.SliceOfN(rapid.Uint64(), 0, 128).Draw(t, "stack"),
			Items: []Item{},
			holes: []hole{},
		}
		for i := range rapid.IntRange(0, 10).Draw(t, "items") {
			item := Item{
				Addr:   rapid.Uint64().Draw(t, "addr"),
				Data:   rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "data"),
				Reason: Reason(rapid.IntRange(0, int(MaxReason)).Draw(t, "reason")),
			}
			if i > 0 {
				item.Type = gotype.ID(rapid.Uint32Range(1, typeMask).Draw(t, "type"))
			}
			want.Items = append(want.Items, item)
		}
		if len(want.Items) > 0 {
			for range rapid.IntRange(0, 3).Draw(t, "holes") {
				want.MarkUnread(rapid.Uint32().Draw(t, "offset"), rapid.Uint32().Draw(t, "size"))
			}
		}
		var got Event
		if err := Parse(Append([]byte("prefix")[:0], want), &got); err != nil {
			t.Fatal(err)
		}
		require.Equal(t, normal(want), normal(&got))
	})
}

// normal makes empty and nil storage equal.
func normal(e *Event) *Event {
	if len(e.Stack) == 0 {
		e.Stack = nil
	}
	if len(e.Items) == 0 {
		e.Items = nil
	}
	if len(e.holes) == 0 {
		e.holes = nil
	}
	return e
}

func FuzzParse(f *testing.F) {
	f.Add(Append(nil, sample()))
	f.Add(Append(nil, &Event{Items: []Item{{}}}))
	f.Add(Append(nil, &Event{}))
	f.Add([]byte(strings.Repeat("\x30\x00\x00\x00", 12)))
	f.Fuzz(func(t *testing.T, buf []byte) {
		var e, again Event
		if err := Parse(buf, &e); err != nil {
			require.ErrorIs(t, err, ErrMalformed)
			return
		}
		for _, item := range e.Items {
			_ = append(item.Data, 0) // must not write into the next item
		}
		require.NoError(t, Parse(Append(nil, &e), &again))
		require.Equal(t, normal(&e), normal(&again))
	})
}

func TestParseAllocatesNothing(t *testing.T) {
	buf := Append(nil, sample())
	var e Event
	require.NoError(t, Parse(buf, &e))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if err := Parse(buf, &e); err != nil {
			t.Error(err)
		}
	}))
}

func BenchmarkParse(b *testing.B) {
	buf := Append(nil, sample())
	var e Event
	b.ReportAllocs()
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		if err := Parse(buf, &e); err != nil {
			b.Fatal(err)
		}
	}
}
