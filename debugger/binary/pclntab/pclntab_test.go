package pclntab

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// text is the address of runtime.text in the tables of these tests.
const text = 0x401000

// image is a table with two functions: main.outer, of 0x40 bytes, whose bytes
// 0x10 to 0x20 are main.inner inlined at 0x8, and main.Map[int], of 0x20 bytes,
// in assembly.
func image() (table, funcdata []byte) {
	names := []byte("\x00main.outer\x00main.inner\x00main.Map[int]\x00")
	files := []byte("outer.go\x00inner.go\x00")
	cutab := le32(0, 9)
	var pctab []byte
	values := func(pairs ...int) uint32 {
		if len(pctab) == 0 {
			pctab = []byte{0}
		}
		off := uint32(len(pctab))
		value := -1
		for i := 0; i < len(pairs); i += 2 {
			delta := pairs[i] - value
			value = pairs[i]
			zigzag := uint32(delta<<1) ^ uint32(int32(delta)>>31)
			pctab = binary.AppendUvarint(pctab, uint64(zigzag))
			pctab = binary.AppendUvarint(pctab, uint64(pairs[i+1]))
		}
		pctab = append(pctab, 0)
		return off
	}
	file := values(0, 0x10, 1, 0x10, 0, 0x20)
	line := values(10, 0x08, 11, 0x08, 5, 0x10, 12, 0x20)
	inline := values(-1, 0x10, 0, 0x10, -1, 0x20)
	asmLine := values(3, 0x20)

	outer := fn(0, 1, file, line, 3, 0, 10, 0, 4)
	outer = append(outer, le32(0, 0, inline)...)
	outer = append(outer, le32(noFuncdata, noFuncdata, noFuncdata, 16)...)
	second := fn(0x40, 23, 0, asmLine, 0, 0, 2, flagAsm, 0)

	const list = 2*functabEntrySize + 4
	firstOff := uint32(24)
	secondOff := firstOff + uint32(len(outer))
	functab := le32(0, firstOff, 0x40, secondOff, 0x60)
	functab = append(functab, make([]byte, int(firstOff)-list)...)
	functab = append(functab, outer...)
	functab = append(functab, second...)

	header := le32(Magic)
	header = append(header, 0, 0, 1, 8)
	off := uint64(HeaderSize)
	word := func(v uint64) { header = binary.LittleEndian.AppendUint64(header, v) }
	word(2)
	word(2)
	word(0)
	for _, part := range [][]byte{names, cutab, files, pctab} {
		word(off)
		off += uint64(len(part))
	}
	word(off)
	table = bytes.Join([][]byte{header, names, cutab, files, pctab, functab}, nil)

	funcdata = make([]byte, 16)
	funcdata = append(funcdata, 0, 0, 0, 0)
	return table, append(funcdata, le32(12, 0x08, 1)...)
}

func le32(v ...uint32) (b []byte) {
	for _, v := range v {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return b
}

// fn is a runtime._func.
func fn(entry, name, file, line, npcdata, cu, start uint32, flag, nfuncdata byte) []byte {
	b := le32(entry, name, 0, 0, 0, file, line, npcdata, cu, start)
	return append(b, 0, flag, 0, nfuncdata)
}

func parse(t *testing.T) *Table {
	t.Helper()
	data, funcdata := image()
	table, err := Parse(data, text, funcdata)
	require.NoError(t, err)
	return table
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	table := parse(t)
	require.Equal(t, 2, table.Len())
	outer, ok := table.Func(0)
	require.True(t, ok)
	require.Equal(t, "main.outer", outer.Name())
	require.Equal(t, uint64(text), outer.Entry)
	require.Equal(t, uint64(text+0x40), outer.End)
	require.Equal(t, 10, outer.StartLine())
	require.False(t, outer.Assembly())
	second, ok := table.Func(1)
	require.True(t, ok)
	require.Equal(t, "main.Map[int]", second.Name())
	require.True(t, second.Assembly())
	file, line := second.FileLine(text + 0x41)
	require.Equal(t, "?", file)
	require.Equal(t, 3, line)
	_, ok = table.Func(2)
	require.False(t, ok)
	_, ok = table.Func(-1)
	require.False(t, ok)
}

func TestFind(t *testing.T) {
	t.Parallel()
	table := parse(t)
	for pc, want := range map[uint64]string{
		0:           "",
		text - 1:    "",
		text:        "main.outer",
		text + 0x3f: "main.outer",
		text + 0x40: "main.Map[int]",
		text + 0x5f: "main.Map[int]",
		text + 0x60: "",
		^uint64(0):  "",
	} {
		f, ok := table.Find(pc)
		require.Equal(t, want != "", ok, "%#x", pc)
		if ok {
			require.Equal(t, want, f.Name())
		}
	}
}

func TestFrames(t *testing.T) {
	t.Parallel()
	outer, ok := parse(t).Func(0)
	require.True(t, ok)
	for pc, want := range map[uint64][]Frame{
		text:        {{"main.outer", "outer.go", 10}},
		text + 0x0f: {{"main.outer", "outer.go", 11}},
		text + 0x10: {{"main.inner", "inner.go", 5}, {"main.outer", "outer.go", 11}},
		text + 0x1f: {{"main.inner", "inner.go", 5}, {"main.outer", "outer.go", 11}},
		text + 0x20: {{"main.outer", "outer.go", 12}},
	} {
		require.Equal(t, want, outer.AppendFrames(nil, pc), "%#x", pc)
	}
}

// TestFramesWithoutFuncdata shows what remains when the inline trees are not
// found.
func TestFramesWithoutFuncdata(t *testing.T) {
	t.Parallel()
	data, _ := image()
	table, err := Parse(data, text, nil)
	require.NoError(t, err)
	outer, _ := table.Func(0)
	require.Equal(t, []Frame{{"main.outer", "inner.go", 5}}, outer.AppendFrames(nil, text+0x10))
}

func TestNames(t *testing.T) {
	t.Parallel()
	var names []string
	for name := range parse(t).Names {
		names = append(names, string(name))
	}
	require.Equal(t, []string{"main.outer", "main.inner", "main.Map[int]"}, names)
	for name := range parse(t).Names {
		require.Equal(t, "main.outer", string(name))
		break
	}
}

func TestPrintName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"main.run":                      "main.run",
		"main.Map[int]":                 "main.Map[...]",
		"main.(*List[go.shape.int]).Of": "main.(*List[...]).Of",
		"main.Map[a[b],c].func1":        "main.Map[...].func1",
		"main.odd]":                     "main.odd]",
		"main.odd[":                     "main.odd[",
	} {
		require.Equal(t, want, string(PrintName([]byte(name), "[...]")))
	}
}

func TestParseRejects(t *testing.T) {
	t.Parallel()
	whole, _ := image()
	change := func(at int, b ...byte) []byte {
		data := bytes.Clone(whole)
		copy(data[at:], b)
		return data
	}
	for name, tt := range map[string]struct {
		data []byte
		want error
	}{
		"empty":          {nil, ErrCorrupt},
		"short":          {whole[:HeaderSize-1], ErrCorrupt},
		"go 1.18":        {change(0, 0xf0), ErrBadMagic},
		"32-bit":         {change(7, 4), ErrBadMagic},
		"quantum":        {change(6, 3), ErrBadMagic},
		"many functions": {change(8, 0xff, 0xff, 0xff, 0xff), ErrCorrupt},
		"no end":         {whole[:binary.LittleEndian.Uint64(whole[64:])+16], ErrCorrupt},
		"parts swapped":  {change(32, 0xff, 0xff), ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(tt.data, text, nil)
			require.ErrorIs(t, err, tt.want)
		})
	}
}

func FuzzTable(f *testing.F) {
	data, funcdata := image()
	f.Add(data, funcdata)
	f.Add(data[:len(data)-20], funcdata[:20])
	f.Add(bytes.Replace(data, []byte{0x10, 0}, []byte{0xff, 0xff}, 3), funcdata)
	f.Fuzz(func(t *testing.T, data, funcdata []byte) {
		table, err := Parse(data, text, funcdata)
		if err != nil {
			return
		}
		var frames []Frame
		for i := range min(table.Len(), 64) {
			fn, ok := table.Func(i)
			if !ok {
				continue
			}
			for _, pc := range []uint64{fn.Entry, fn.Entry + 0x10, fn.End - 1} {
				frames = fn.AppendFrames(frames[:0], pc)
				if len(frames) == 0 || len(frames) > maxInlineDepth {
					t.Fatalf("%d frames at %#x", len(frames), pc)
				}
			}
			table.Find(fn.Entry)
			runs := 0
			for run := range fn.Inlined() {
				if runs++; runs > len(data) {
					t.Fatal("more runs than bytes")
				}
				if calls := fn.AppendCalls(nil, run.Low); len(calls) > maxInlineDepth {
					t.Fatalf("%d calls inlined in each other", len(calls))
				}
				fn.SPDelta(run.Low)
			}
			for run := range fn.Files() {
				fn.FileOffset(run.Value)
			}
			for range fn.Lines() {
				runs++
			}
		}
		for range table.Names {
		}
		for range table.FileNames {
		}
	})
}
