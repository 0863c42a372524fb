package die_test

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
	"github.com/vigil-agent/vigil/debugger/binary/die"
)

// sectionsOf are those of a file, decompressed.
func sectionsOf(tb testing.TB, path string) (die.Sections, *dwarf.Data) {
	tb.Helper()
	file, err := elf.Open(path)
	require.NoError(tb, err)
	defer func() { require.NoError(tb, file.Close()) }()
	section := func(name string) []byte {
		s := file.Section(".debug_" + name)
		if s == nil {
			return nil
		}
		data, err := s.Data()
		require.NoError(tb, err)
		return data
	}
	data, err := file.DWARF()
	require.NoError(tb, err)
	return die.Sections{
		Abbrev: section("abbrev"), Info: section("info"), Str: section("str"), LineStr: section("line_str"),
		StrOffsets: section("str_offsets"), Addr: section("addr"),
	}, data
}

// same reports whether a value is what the standard reader has.
func same(v die.Value, want any) bool {
	switch want := want.(type) {
	case uint64:
		return v.Class == die.Address && v.N == want
	case int64:
		return v.Class == die.Constant && v.N == uint64(want)
	case dwarf.Offset:
		return v.Class == die.Reference && v.Offset() == want
	case bool:
		return v.Class == die.Flag && v.True() == want
	case []byte:
		return v.Class == die.Block && bytes.Equal(v.Bytes, want)
	case string:
		return v.Class == die.Text && string(v.Bytes) == want
	}
	return false
}

// compare checks that all entries are those of the standard reader.
func compare(s die.Sections, standard *dwarf.Data) (entries, others int, err error) {
	data, err := die.New(s)
	if err != nil {
		return 0, 0, err
	}
	want := standard.Reader()
	for i := range data.Units() {
		u := &data.Units()[i]
		r := data.Reader(u)
		for !r.Done() {
			got, err := r.Next()
			if err != nil {
				return entries, others, err
			}
			w, err := want.Next()
			if err != nil {
				return entries, others, err
			}
			if w == nil {
				return entries, others, errors.New("more entries than there are")
			}
			if got.Tag != w.Tag || got.Tag != 0 && (got.Off != w.Offset || got.Children != w.Children) {
				return entries, others, fmt.Errorf("entry %#x: %v at %#x, want %v", w.Offset, got.Tag, got.Off, w.Tag)
			}
			if got.Off == u.First {
				low, _ := w.Val(dwarf.AttrLowpc).(uint64)
				if base, _ := w.Val(dwarf.AttrAddrBase).(int64); u.LowPC != low || u.AddrBase != uint64(base) {
					return entries, others, fmt.Errorf("unit %#x begins at %#x with addresses at %#x, want %#x and %#x", u.Header, u.LowPC, u.AddrBase, low, base)
				}
			}
			entries++
			j := 0
			for attr, v := range got.Each {
				f := w.Field[j]
				j++
				if attr != f.Attr || v.Class != die.Other && !same(v, f.Val) {
					return entries, others, fmt.Errorf("entry %#x: %v is %v, want %v", w.Offset, attr, v, f.Val)
				}
				if v.Class == die.Other {
					others++
				}
			}
			if j != len(w.Field) {
				return entries, others, fmt.Errorf("entry %#x: %d attributes, want %d", w.Offset, j, len(w.Field))
			}
			if next := w.Offset; i+1 < len(data.Units()) && next >= u.End {
				return entries, others, fmt.Errorf("entry %#x is in unit %d", next, i)
			}
		}
	}
	return entries, others, nil
}

// TestEntries compares all entries of programs with those of the standard reader,
// with each toolchain, and with the C compiler's.
func TestEntries(t *testing.T) {
	t.Parallel()
	builds := map[string]binarytest.Build{"cgo": {CGO: true}, "plain": {}}
	for _, toolchain := range binarytest.Older {
		builds[toolchain] = binarytest.Build{Toolchain: toolchain}
	}
	check := func(t *testing.T, path string) {
		t.Helper()
		entries, others, err := compare(sectionsOf(t, path))
		require.NoError(t, err)
		require.Greater(t, entries, 1000)
		t.Logf("%d entries, %d values not resolved", entries, others)
	}
	for name, build := range builds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			program := "scope"
			if build.CGO {
				program = "external"
			}
			check(t, binarytest.Fixture(t, filepath.Join("..", "testdata", program), build))
		})
	}
	t.Run("large", func(t *testing.T) {
		t.Parallel()
		check(t, binarytest.Command(t, "cmd/go"))
	})
}

// TestOverlappingAbbreviations are refused: each unit of a small file could ask for a
// large table of its own.
func TestOverlappingAbbreviations(t *testing.T) {
	t.Parallel()
	abbrev := unhex(t, "01 11 00 00 00  02 24 00 00 00  00")
	unit := "09 00 00 00 05 00 01 08 "
	for info, refused := range map[string]bool{
		unit + "00 00 00 00 00" + unit + "00 00 00 00 00": false, // the same table
		unit + "00 00 00 00 00" + unit + "05 00 00 00 00": true,  // the end of it
	} {
		data, err := die.New(die.Sections{Abbrev: abbrev, Info: unhex(t, info)})
		if refused {
			require.ErrorIs(t, err, die.ErrCorrupt)
			continue
		}
		require.NoError(t, err)
		require.Len(t, data.Units(), 2)
	}
}
