package event

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

// fragments cuts an event the way the kernel program does, before the items
// whose positions are given.
func fragments(e *Event, cuts []int) [][]byte {
	var records [][]byte
	from := 0
	for i, to := range append(slices.Clone(cuts), len(e.Items)) {
		part := *e
		part.Items, part.Incomplete = e.Items[from:to], e.Incomplete && to == len(e.Items)
		if i > 0 {
			part.Stack, part.holes = nil, nil
		}
		flags := uint32(i) << sequenceShift
		if to < len(e.Items) {
			flags |= flagMore
		}
		record := Append(nil, &part)
		binary.LittleEndian.PutUint32(record[28:], binary.LittleEndian.Uint32(record[28:])|flags)
		records = append(records, record)
		from = to
	}
	return records
}

func items(n int) []Item {
	list := []Item{{Data: []byte("root 678")}}
	for i := range n {
		list = append(list, Item{Type: gotype.ID(i + 1), Addr: uint64(i), Data: []byte("item")})
	}
	return list
}

// TestAssemble interleaves the fragments of events of several threads, loses
// some, and expects each event of which all came.
func TestAssemble(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var a Assembler
		var got, want []*Event
		var queues [][][]byte
		var whole []*Event
		for i := range rapid.IntRange(1, 8).Draw(t, "events") {
			e := &Event{TID: uint32(i), Ktime: rapid.Uint64().Draw(t, "ktime"), StackID: 7, Stack: []uint64{1, 2}, Incomplete: i%2 == 0, Items: items(rapid.IntRange(1, 8).Draw(t, "items"))}
			e.MarkUnread(0, 8)
			cuts := rapid.SliceOfNDistinct(rapid.IntRange(1, len(e.Items)-1), 0, len(e.Items)-1, rapid.ID[int]).Draw(t, "cuts")
			slices.Sort(cuts)
			records := fragments(e, cuts)
			lost := rapid.IntRange(0, 3*len(records)).Draw(t, "lost")
			if lost < len(records) {
				records = slices.Delete(records, lost, lost+1)
				e = nil
			}
			queues, whole = append(queues, records), append(whole, e)
		}
		for left := true; left; {
			left = false
			for _, i := range rapid.Permutation(indices(len(queues))).Draw(t, "order") {
				if len(queues[i]) == 0 {
					continue
				}
				left = true
				record := queues[i][0]
				queues[i] = queues[i][1:]
				var e Event
				done, err := a.Add(record, &e)
				require.NoError(t, err)
				if done {
					got = append(got, e.Clone())
				}
				if len(queues[i]) == 0 && whole[i] != nil {
					require.True(t, done)
					want = append(want, whole[i])
				}
			}
		}
		require.Equal(t, want, got)
	})
}

func indices(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

func TestAssemblerIsBounded(t *testing.T) {
	t.Parallel()
	var a Assembler
	var e Event
	for i := range 3 * maxPending {
		done, err := a.Add(fragments(&Event{TID: uint32(i), Items: items(1)}, []int{1})[0], &e)
		require.NoError(t, err)
		require.False(t, done)
	}
	require.Len(t, a.pending, maxPending)
	require.EqualValues(t, 2*maxPending, a.Abandoned)
	// A thread that begins anew abandoned what it was sending.
	done, err := a.Add(fragments(&Event{TID: 3*maxPending - 1, Ktime: 9, Items: items(1)}, []int{1})[0], &e)
	require.NoError(t, err)
	require.False(t, done)
	require.EqualValues(t, 2*maxPending+1, a.Abandoned)
	_, err = a.Add([]byte("short"), &e)
	require.ErrorIs(t, err, ErrMalformed)
}

func TestAssemblerAllocatesNothing(t *testing.T) {
	records := fragments(sample(), []int{1, 2})
	var a Assembler
	var e Event
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for i, r := range records {
			if done, err := a.Add(r, &e); err != nil || done != (i == len(records)-1) {
				t.Error(done, err)
			}
		}
	}))
}

// FuzzAssemble adds arbitrary records: whatever they are, the assembler stays
// within its bounds and every event it hands out can be walked.
func FuzzAssemble(f *testing.F) {
	whole := slices.Concat(fragments(sample(), []int{1, 2})...)
	f.Add(whole)
	f.Add(Append(nil, sample()))
	f.Fuzz(func(t *testing.T, buf []byte) {
		var a Assembler
		var e Event
		for len(buf) >= headerSize {
			n := max(headerSize, min(len(buf), int(binary.LittleEndian.Uint16(buf))))
			done, err := a.Add(buf[:n], &e)
			buf = buf[n:]
			if err != nil {
				require.ErrorIs(t, err, ErrMalformed)
			}
			if done {
				require.Equal(t, normal(&e), normal(e.Clone()))
			}
			require.LessOrEqual(t, len(a.pending), maxPending)
		}
	})
}

func TestStacks(t *testing.T) {
	t.Parallel()
	var s Stacks
	resolve := func(id uint64, pcs ...uint64) []uint64 {
		e := Event{StackID: id, Stack: pcs}
		s.Resolve(&e)
		return e.Stack
	}
	require.Equal(t, []uint64{1, 2}, resolve(5, 1, 2))
	require.Equal(t, []uint64{1, 2}, resolve(5))
	require.Equal(t, []uint64{3}, resolve(5+stackSlots, 3), "the same slot")
	require.Equal(t, []uint64{1, 2}, resolve(5), "an event that was sent before the program forgot")
	require.Equal(t, []uint64{3}, resolve(5+stackSlots))
	require.Equal(t, []uint64{4}, resolve(5+2*stackSlots, 4), "replaces the older of the two")
	require.Empty(t, resolve(5))
	require.Equal(t, []uint64{3}, resolve(5+stackSlots))
	require.Empty(t, resolve(0), "no stack was taken")
	require.Empty(t, resolve(6), "never sent")
}
