package location

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	reg := func(r uint8, dest, size uint32) Piece {
		return Piece{Kind: Register, Reg: r, Dest: dest, Size: size}
	}
	stack := func(off int32, dest, size uint32) Piece {
		return Piece{Kind: Stack, Offset: off, Dest: dest, Size: size}
	}
	for name, tt := range map[string]struct {
		expr []byte
		size uint32
		want []Piece
		err  error
	}{
		"register":              {[]byte{0x50}, 8, []Piece{reg(0, 0, 8)}, nil},
		"small in register":     {[]byte{0x53}, 1, []Piece{reg(3, 0, 1)}, nil},
		"xmm":                   {[]byte{0x61}, 8, []Piece{reg(17, 0, 8)}, nil},
		"regx":                  {[]byte{0x90, 0x20}, 8, []Piece{reg(32, 0, 8)}, nil},
		"regx out of range":     {[]byte{0x90, 0x21}, 8, nil, ErrUnsupported},
		"fbreg":                 {[]byte{0x91, 0x68}, 24, []Piece{stack(-24, 0, 24)}, nil},
		"fbreg two bytes":       {[]byte{0x91, 0x80, 0x7f}, 8, []Piece{stack(-128, 0, 8)}, nil},
		"cfa":                   {[]byte{0x9c}, 8, []Piece{stack(0, 0, 8)}, nil},
		"cfa plus":              {[]byte{0x9c, 0x23, 0x10}, 8, []Piece{stack(16, 0, 8)}, nil},
		"cfa consts plus":       {[]byte{0x9c, 0x11, 0x70, 0x22}, 8, []Piece{stack(-16, 0, 8)}, nil},
		"cfa constu plus":       {[]byte{0x9c, 0x10, 0x10, 0x22}, 8, []Piece{stack(16, 0, 8)}, nil},
		"cfa const1s plus":      {[]byte{0x9c, 0x09, 0xf8, 0x22}, 8, []Piece{stack(-8, 0, 8)}, nil},
		"cfa const2u plus":      {[]byte{0x9c, 0x0a, 0x00, 0x01, 0x22}, 8, []Piece{stack(256, 0, 8)}, nil},
		"string":                {[]byte{0x50, 0x93, 8, 0x53, 0x93, 8}, 16, []Piece{reg(0, 0, 8), reg(3, 8, 8)}, nil},
		"register and stack":    {[]byte{0x50, 0x93, 8, 0x91, 8, 0x93, 8}, 16, []Piece{reg(0, 0, 8), stack(8, 8, 8)}, nil},
		"last piece open":       {[]byte{0x50, 0x93, 8, 0x53}, 16, []Piece{reg(0, 0, 8), reg(3, 8, 8)}, nil},
		"empty":                 {nil, 8, nil, ErrOptimisedOut},
		"only empty pieces":     {[]byte{0x93, 8, 0x93, 8}, 16, nil, ErrOptimisedOut},
		"second piece missing":  {[]byte{0x50, 0x93, 8, 0x93, 8}, 16, []Piece{reg(0, 0, 8)}, ErrPartly},
		"first piece missing":   {[]byte{0x93, 8, 0x50, 0x93, 8}, 16, []Piece{reg(0, 8, 8)}, ErrPartly},
		"heap":                  {[]byte{0x91, 0x68, 0x06}, 8, nil, ErrIndirect},
		"wide in register":      {[]byte{0x50}, 16, nil, ErrUnsupported},
		"constant":              {[]byte{0x08, 1, 0x9f}, 8, nil, ErrUnsupported},
		"two registers, no cut": {[]byte{0x50, 0x51}, 8, nil, ErrUnsupported},
		"cut operand":           {[]byte{0x91}, 8, nil, ErrCorrupt},
		"cut piece":             {[]byte{0x50, 0x93}, 8, nil, ErrCorrupt},
		"offset too large":      {[]byte{0x91, 0x80, 0x80, 0x80, 0x80, 0x80, 1}, 8, nil, ErrCorrupt},
		"piece too large":       {[]byte{0x50, 0x93, 0xff, 0xff, 0xff, 0xff, 0x0f}, 8, nil, ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Decode(tt.expr, tt.size)
			require.ErrorIs(t, err, tt.err)
			require.Equal(t, tt.want, got)
		})
	}
}

// listV5 has every kind of entry; expressions are the bytes 1, 2 …
func listV5() Lists {
	data := []byte{0xff} // the list is not at the start of the section
	data = append(data, lleBaseAddressx, 1)
	data = append(data, lleOffsetPair, 0x00, 0x10, 1, 1)
	data = append(data, lleOffsetPair, 0x10, 0x20, 1, 2)
	data = append(data, lleStartxEndx, 0, 2, 1, 3)
	data = append(data, lleStartxLength, 2, 8, 1, 4)
	data = binary.LittleEndian.AppendUint64(append(data, lleBaseAddress), 0x9000)
	data = append(data, lleOffsetPair, 0, 4, 1, 5)
	data = binary.LittleEndian.AppendUint64(append(data, lleStartEnd), 0xa000)
	data = append(binary.LittleEndian.AppendUint64(data, 0xa008), 1, 6)
	data = binary.LittleEndian.AppendUint64(append(data, lleStartLength), 0xb000)
	data = append(data, 0x10, 0)
	data = append(data, lleDefaultLocation, 1, 7, lleEndOfList)
	var addrs []byte
	for _, a := range []uint64{0x1000, 0x2000, 0x3000} {
		addrs = binary.LittleEndian.AppendUint64(addrs, a)
	}
	return Lists{Data: data, V5: true, Addrs: addrs}
}

func listV4() Lists {
	var data []byte
	pair := func(low, high uint64) {
		data = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(data, low), high)
	}
	pair(0x10, 0x20)
	data = append(data, 1, 0, 1)
	pair(^uint64(0), 0x2000)
	pair(0, 8)
	data = append(data, 2, 0, 2, 2)
	pair(0, 0)
	return Lists{Data: data, Base: 0x1000}
}

func entries(t *testing.T, l Lists, off uint64) (all []Entry) {
	t.Helper()
	require.NoError(t, l.Each(off, func(e Entry) bool {
		all = append(all, e)
		return true
	}))
	return all
}

func TestListV5(t *testing.T) {
	t.Parallel()
	l := listV5()
	require.Equal(t, []Entry{
		{0x2000, 0x2010, []byte{1}},
		{0x2010, 0x2020, []byte{2}},
		{0x1000, 0x3000, []byte{3}},
		{0x3000, 0x3008, []byte{4}},
		{0x9000, 0x9004, []byte{5}},
		{0xa000, 0xa008, []byte{6}},
		{0xb000, 0xb010, []byte{}},
		{0, ^uint64(0), []byte{7}},
	}, entries(t, l, 1))

	expr, err := l.Find(1, 0x2011)
	require.NoError(t, err)
	require.Equal(t, []byte{2}, expr)
	_, err = l.Find(1, 0xb001)
	require.ErrorIs(t, err, ErrOptimisedOut)
}

func TestListV4(t *testing.T) {
	t.Parallel()
	l := listV4()
	require.Equal(t, []Entry{{0x1010, 0x1020, []byte{1}}, {0x2000, 0x2008, []byte{2, 2}}}, entries(t, l, 0))
	_, err := l.Find(0, 0x1020)
	require.ErrorIs(t, err, ErrOptimisedOut)
}

func TestListCorrupt(t *testing.T) {
	t.Parallel()
	all := func(Entry) bool { return true }
	for n := 1; n < len(listV5().Data); n++ {
		l := listV5()
		l.Data = l.Data[:n]
		require.ErrorIs(t, l.Each(1, all), ErrCorrupt, "%d bytes", n)
	}
	for n := range len(listV4().Data) {
		l := listV4()
		l.Data = l.Data[:n]
		require.ErrorIs(t, l.Each(0, all), ErrCorrupt, "%d bytes", n)
	}
	l := listV5()
	l.Addrs = nil
	require.ErrorIs(t, l.Each(1, all), ErrCorrupt)
	require.ErrorIs(t, l.Each(1<<40, all), ErrCorrupt)
}

func FuzzList(f *testing.F) {
	for _, l := range []Lists{listV5(), listV4()} {
		f.Add(l.Data, l.Addrs, l.V5, uint64(1))
	}
	f.Fuzz(func(t *testing.T, data, addrs []byte, v5 bool, off uint64) {
		l := Lists{Data: data, Addrs: addrs, V5: v5}
		total := 0
		_ = l.Each(off, func(e Entry) bool {
			total += len(e.Expr)
			_, _ = Decode(e.Expr, 16)
			return true
		})
		if total > len(data) {
			t.Fatalf("%d bytes of expressions in %d bytes", total, len(data))
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte{0x50, 0x93, 8, 0x91, 8, 0x93, 8}, uint32(16))
	f.Add([]byte{0x9c, 0x11, 0x70, 0x22}, uint32(8))
	f.Add([]byte{0x93, 8, 0x90, 0x20}, uint32(24))
	f.Fuzz(func(t *testing.T, expr []byte, size uint32) {
		pieces, _ := Decode(expr, size)
		end := uint32(0)
		for _, p := range pieces {
			if p.Dest < end || p.Size == 0 || (p.Kind == Register && (p.Size > 8 || p.Reg > maxReg)) {
				t.Fatalf("% x: %+v", expr, pieces)
			}
			end = p.Dest + p.Size
		}
	})
}
