package die

import "debug/dwarf"

// abbrev is the shape of entries: section 7.5.3 of DWARF 5.
type abbrev struct {
	code     uint64
	tag      dwarf.Tag
	children bool
	fields   []field
}

type field struct {
	attr     dwarf.Attr
	form     form
	implicit int64 // the value, of formImplicitConst
}

// abbrevs are those of one table.
type abbrevs struct {
	all []abbrev
	// byCode is nil when the codes are 1, 2, 3 …, as compilers number them.
	byCode map[uint64]int
}

func (t *abbrevs) find(code uint64) *abbrev {
	if t.byCode != nil {
		if i, ok := t.byCode[code]; ok {
			return &t.all[i]
		}
		return nil
	}
	if code-1 < uint64(len(t.all)) {
		return &t.all[code-1]
	}
	return nil
}

// parseAbbrevs reads the table that data begins with, and says how long it is.
func parseAbbrevs(data []byte) (table *abbrevs, length int, err error) {
	t, b := &abbrevs{}, buffer{data: data}
	dense := true
	for {
		a := abbrev{code: b.uvarint()}
		if a.code == 0 || b.cut {
			break
		}
		a.tag, a.children = dwarf.Tag(b.uvarint()), b.byte() != 0
		for {
			f := field{attr: dwarf.Attr(b.uvarint()), form: form(b.uvarint())}
			if f.form == formImplicitConst {
				f.implicit = b.varint()
			}
			if b.cut || f.attr == 0 && f.form == 0 {
				break
			}
			a.fields = append(a.fields, f)
		}
		t.all = append(t.all, a)
		dense = dense && a.code == uint64(len(t.all))
	}
	if b.cut {
		return nil, 0, ErrCorrupt
	}
	if !dense {
		t.byCode = map[uint64]int{}
		for i, a := range t.all {
			t.byCode[a.code] = i
		}
	}
	return t, len(data) - len(b.data), nil
}
