package columns

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// numbered makes n lines that differ in numbers alone, those from one on.
func numbered(from, n int) []record.Record {
	lines := make([]string, n)
	for i := range lines {
		k := from + i
		lines[i] = fmt.Sprintf("took %d ms, id %08x, from 10.0.%d.7:%d", k*7919%100000, uint32(k)*2654435761, k*31%256, 1024+k%100)
	}
	return messages(lines...)
}

// TestSettledColumns has columns that settle, meet other values, and settle again.
func TestSettledColumns(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{CheckEvery: 1})
	settled := func() (n int) {
		for _, sl := range p.e.state.templates[1].slots {
			if sl.settling.settled > 0 {
				n++
			}
		}
		return n
	}
	for i := range 4 {
		p.send(numbered(200*i, 200))
	}
	require.Equal(t, 3, settled())
	odd := numbered(800, 200)
	odd[7].Message = []byte("took 1-2 ms, id 12345, from 10.0.999.7:0001024")
	p.send(odd)
	require.Equal(t, 1, settled(), "widths may vary, but not shapes")
	for i := range 40 {
		p.send(numbered(1000+20*i, 15+i%7))
	}
	for i := range 4 {
		p.send(numbered(3000+200*i, 200))
	}
	require.Equal(t, 3, settled())
	require.Zero(t, p.e.Stats().CheckFailures)
}

// TestSettledColumnWithoutShape takes the shapes from the receiver.
func TestSettledColumnWithoutShape(t *testing.T) {
	t.Parallel()
	p := newPair(t, Options{})
	for i := range 6 {
		p.send(numbered(200*i, 200))
	}
	data, _, err := p.e.Encode(nil, numbered(1200, 200))
	require.NoError(t, err)
	for i := range p.d.state.templates[1].slots {
		for j := range p.d.state.templates[1].slots[i].items {
			p.d.state.templates[1].slots[i].items[j] = item{}
		}
	}
	require.EqualError(t, p.d.Decode(data, nil), "batch 7, line 199, template 1, column 0: a settled column has no shape")
}
