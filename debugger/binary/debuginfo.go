package binary

import (
	"cmp"
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/debugger/binary/die"
	"github.com/vigil-agent/vigil/debugger/binary/location"
)

// maxDebugSection bounds one section of debug information once it is
// decompressed; those of the largest known Go programs are below 512 MiB.
const maxDebugSection = 1 << 30

// debugInfo is what is held of the debug information: the sections and an index
// of the functions, not the tree.
type debugInfo struct {
	sections map[string][]byte // decompressed, by name without .debug_
	dies     *die.Data
	detail   *dwarf.Data             // for line tables and ranges, nil until asked for
	lists    map[bool][]byte         // location lists: of DWARF 5 (true) and before
	addrs    []byte                  // .debug_addr
	funcs    []funcRef               // by entry
	types    []typeDIE               // by runtime offset
	known    map[string]dwarf.Offset // structs of the runtime, see runtimeStructs

	typesMu     sync.Mutex // guards typeEntries
	typeEntries map[dwarf.Offset]*typeEntry
}

// funcRef says where the description of a function with code is.
type funcRef struct {
	entry uint64
	off   dwarf.Offset
}

// typeDIE says where the type that the runtime describes at an offset is described.
type typeDIE struct {
	runtime uint64
	off     dwarf.Offset
}

// DebugInfo reports whether the binary holds debug information: ErrNoDWARF when
// it was stripped.
func (b *Binary) DebugInfo() error {
	if b.elf == nil {
		return errClosed
	}
	if b.elf.Section(".debug_info") == nil || b.elf.Section(".debug_abbrev") == nil {
		return ErrNoDWARF
	}
	return nil
}

// ReleaseDebugInfo forgets the debug information and the pages of the file that
// were read; both are read again when they are needed. What was answered from it
// before may no longer be asked for places.
func (b *Binary) ReleaseDebugInfo() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.debug = nil
	if b.data != nil {
		_ = unix.Madvise(b.data, unix.MADV_DONTNEED) // a hint
	}
}

// debugData reads the debug information on first use.
func (b *Binary) debugData() (*debugInfo, error) {
	if err := b.DebugInfo(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.debug == nil {
		d, err := b.readDebugInfo()
		if err != nil {
			return nil, err
		}
		b.debug = d
	}
	return b.debug, nil
}

func (b *Binary) readDebugInfo() (d *debugInfo, err error) {
	defer guard(&err)()
	d = &debugInfo{sections: map[string][]byte{}}
	if err := b.load(d, "abbrev", "info", "str", "line_str", "str_offsets", "addr", "loclists", "loc"); err != nil {
		return nil, err
	}
	if err := d.open(); err != nil {
		return nil, err
	}
	d.lists = map[bool][]byte{true: d.sections["loclists"], false: d.sections["loc"]}
	d.addrs = d.sections["addr"]
	if err := d.index(b.module); err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrCorrupt, err)
	}
	return d, nil
}

// load reads sections that are not there yet.
func (b *Binary) load(d *debugInfo, names ...string) (err error) {
	for _, name := range names {
		if d.sections[name] != nil {
			continue
		}
		if d.sections[name], err = b.debugSection(".debug_" + name); err != nil {
			return err
		}
	}
	return nil
}

// open begins to read the sections.
func (d *debugInfo) open() (err error) {
	s := d.sections
	d.dies, err = die.New(die.Sections{
		Abbrev: s["abbrev"], Info: s["info"], Str: s["str"], LineStr: s["line_str"], StrOffsets: s["str_offsets"], Addr: s["addr"],
	})
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrCorrupt, err)
	}
	return nil
}

// detailed is the standard reader, which also knows line tables and ranges: they are
// for probes inside of functions only.
func (b *Binary) detailed(d *debugInfo) (*dwarf.Data, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d.detail != nil {
		return d.detail, nil
	}
	if err := b.load(d, "line", "ranges", "rnglists"); err != nil {
		return nil, err
	}
	s := d.sections
	data, err := dwarf.New(s["abbrev"], nil, nil, s["info"], s["line"], nil, s["ranges"], s["str"])
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrCorrupt, err)
	}
	for _, name := range []string{"line_str", "str_offsets", "addr", "rnglists"} {
		if err := data.AddSection(".debug_"+name, s[name]); err != nil {
			return nil, fmt.Errorf("%w (%w)", ErrCorrupt, err)
		}
	}
	d.detail = data
	return data, nil
}

// standardEntry reads the entry at off with the standard reader.
func standardEntry(data *dwarf.Data, off dwarf.Offset) (*dwarf.Entry, error) {
	r := data.Reader()
	r.Seek(off)
	e, err := r.Next()
	if err != nil {
		return nil, fmt.Errorf("read debug information: %w", err)
	}
	if e == nil {
		return nil, fmt.Errorf("%w (no debug information at %#x)", ErrCorrupt, off)
	}
	return e, nil
}

// debugSection is the content of a section, decompressed when it has to be.
func (b *Binary) debugSection(name string) ([]byte, error) {
	s := b.elf.Section(name)
	if s == nil {
		return nil, nil
	}
	if s.Flags&elf.SHF_COMPRESSED == 0 {
		return b.section(name), nil
	}
	if s.Size > maxDebugSection {
		return nil, fmt.Errorf("%w (section %s claims %d bytes)", ErrCorrupt, name, s.Size)
	}
	data, err := s.Data()
	if err != nil {
		return nil, fmt.Errorf("%w (section %s: %w)", ErrCorrupt, name, err)
	}
	return data, nil
}

// index walks the top level of the tree once.
func (d *debugInfo) index(module moduleData) error {
	d.known = map[string]dwarf.Offset{}
	for i := range d.dies.Units() {
		if err := d.indexUnit(&d.dies.Units()[i], module); err != nil {
			return fmt.Errorf("read debug information: %w", err)
		}
	}
	slices.SortStableFunc(d.funcs, func(a, b funcRef) int { return cmp.Compare(a.entry, b.entry) })
	slices.SortStableFunc(d.types, func(a, b typeDIE) int { return cmp.Compare(a.runtime, b.runtime) })
	return nil
}

func (d *debugInfo) indexUnit(u *die.Unit, module moduleData) error {
	r := d.dies.Reader(u)
	for !r.Done() {
		e, err := r.Next()
		if err != nil {
			return err
		}
		if e.Tag == dwarf.TagCompileUnit {
			continue // its children are the top level
		}
		d.indexEntry(&e, module)
		if err := r.Skip(&e); err != nil {
			return err
		}
	}
	return nil
}

// indexEntry remembers an entry of the top level when it may be asked for.
func (d *debugInfo) indexEntry(e *die.Entry, module moduleData) {
	switch e.Tag {
	case dwarf.TagSubprogram:
		if low := e.Value(dwarf.AttrLowpc); low.Class == die.Address {
			d.funcs = append(d.funcs, funcRef{entry: low.N, off: e.Off})
		}
	case dwarf.TagStructType:
		if name := e.Value(dwarf.AttrName).Bytes; slices.Contains(runtimeStructs, string(name)) {
			d.known[string(name)] = e.Off
		}
	}
	if off := module.runtimeOffset(e); off != 0 {
		d.types = append(d.types, typeDIE{off, e.Off})
	}
}

// runtimeType is the offset of the description of the type at a runtime offset,
// 0 when there is none.
func (d *debugInfo) runtimeType(off uint64) dwarf.Offset {
	i, ok := slices.BinarySearchFunc(d.types, off, func(t typeDIE, off uint64) int { return cmp.Compare(t.runtime, off) })
	if !ok {
		return 0
	}
	return d.types[i].off
}

// function is the offset of the description of the function that starts at
// entry.
func (d *debugInfo) function(entry uint64) (dwarf.Offset, bool) {
	i, ok := slices.BinarySearchFunc(d.funcs, entry, func(f funcRef, entry uint64) int { return cmp.Compare(f.entry, entry) })
	if !ok {
		return 0, false
	}
	return d.funcs[i].off, true
}

// listsFor are the location lists as the unit that holds off sees them.
func (d *debugInfo) listsFor(off dwarf.Offset) *location.Lists {
	u := d.dies.UnitOf(off)
	if u == nil {
		return &location.Lists{}
	}
	v5 := u.Version >= 5
	l := &location.Lists{Data: d.lists[v5], V5: v5, Base: u.LowPC}
	if u.AddrBase < uint64(len(d.addrs)) {
		l.Addrs = d.addrs[u.AddrBase:]
	}
	return l
}

// entry reads the description at off, and what follows it.
func (d *debugInfo) entry(off dwarf.Offset) (die.Entry, die.Reader, error) {
	e, r, err := d.dies.Entry(off)
	if err != nil {
		return e, r, fmt.Errorf("%w (%w)", ErrCorrupt, err)
	}
	return e, r, nil
}
