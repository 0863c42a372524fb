package bpf

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// onStack is a plan for variables of the given sizes, side by side from the
// canonical frame address on.
func (b *targetFile) onStack(tb testing.TB, sizes ...uint32) *plan.Plan {
	tb.Helper()
	p := b.entry(tb, "main.Text")
	ty := &types{}
	p.Types = &ty.Table
	var at int32
	for i, size := range sizes {
		p.Variables = append(p.Variables, plan.Variable{
			Name: fmt.Sprint("v", i), Type: ty.scalar(gotype.Uint, fmt.Sprint("u", size), uint64(size)),
			Pieces: []plan.Piece{{Kind: plan.PieceStack, Offset: at, Size: size}},
		})
		at += int32(size)
	}
	require.NoError(tb, plan.Compile(p))
	return p
}

// TestPiecesOfTheStackAreReadTogether captures the same part of a frame in pieces
// of every size that is copied in its own way, and whole.
func TestPiecesOfTheStackAreReadTogether(t *testing.T) {
	needKernel(t)
	b := getBinary(t)
	sizes := []uint32{8, 4, 2, 1, 1, 3, 5, 6, 7, 16, 24, 12, 64, 8, 72, 8}
	var total uint32
	for _, size := range sizes {
		total += size
	}
	p := b.onStack(t, sizes...)
	p.RootSize = 0 // there is one more
	p.Variables = append(p.Variables, plan.Variable{
		Name: "whole", Type: p.Types.Add(gotype.Type{Kind: gotype.Uint, Name: "whole", Size: uint64(total)}),
		Pieces: []plan.Piece{{Kind: plan.PieceStack, Size: total}},
	})
	require.NoError(t, plan.Compile(p))
	s := load(t, Options{}, Probe{Plan: p})
	target := b.start(t)
	require.NoError(t, s.Attach(target.exe, target.pid, 0))
	target.call(t, "text", 1)
	events := drain(t, s)
	require.Len(t, events, 1)
	require.Len(t, events[0].Items, 1, "no holes")
	require.Zero(t, stats(t, s).Faults)
	var got [][]byte
	for _, v := range p.Variables {
		got = append(got, events[0].Items[0].Data[v.RootOffset:][:v.Pieces[0].Size])
	}
	whole := got[len(sizes)]
	for i, size := range sizes {
		require.Equal(t, whole[:size], got[i], "%d bytes, number %d", size, i)
		whole = whole[size:]
	}
}
