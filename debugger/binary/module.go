package binary

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/vigil-agent/vigil/debugger/binary/pclntab"
)

// moduleData is the part of runtime.moduledata that is needed: link-time
// addresses.
type moduleData struct {
	text   uint64 // runtime.text: function entries are relative to it
	types  uint64 // runtime.types: runtime type offsets are relative to it
	etypes uint64
	gofunc uint64 // go:func.*: the inline trees

	typelinks listing // offsets of types from types, 4 bytes each
	itablinks listing // pointers to itabs
}

// listing is a slice in the binary.
type listing struct{ addr, len uint64 }

// Byte offsets in runtime.moduledata (runtime/symtab.go), the same in Go 1.20
// to 1.26.
const (
	modulePCHeader = 0
	moduleNames    = 8
	moduleMinPC    = 160
	moduleText     = 176
	moduleETypes   = 304
	moduleTypes    = 296
	moduleGofunc   = 320
	moduleSize     = 328

	// textsectmap, typelinks and itablinks are slices behind gofunc, since Go
	// 1.26 behind epclntab.
	moduleTypelinks   = 352
	moduleItablinks   = 376
	moduleShiftGo1_26 = 8
	moduleFullSize    = 408
)

// readTable finds and parses the function table.
func (b *Binary) readTable() error {
	addr, data := b.findTable()
	if data == nil {
		return fmt.Errorf("%w (no function table of a known format; built by %s)", ErrUnsupportedGo, orUnknown(b.goVersion))
	}
	module, ok := b.findModule(addr, data)
	if !ok {
		return fmt.Errorf("%w (no module data of a known format; built by %s)", ErrUnsupportedGo, orUnknown(b.goVersion))
	}
	b.module = module
	table, err := pclntab.Parse(data, module.text, b.bytesAt(module.gofunc))
	if err != nil {
		return fmt.Errorf("%w (%w)", ErrCorrupt, err)
	}
	b.table = table
	return nil
}

func orUnknown(version string) string {
	if version == "" {
		return "an unknown toolchain"
	}
	return version
}

// findTable finds the header of the pclntab: in its own section, or, after an
// external linker has merged the sections of a position-independent binary,
// somewhere in the read-only data.
func (b *Binary) findTable() (addr uint64, data []byte) {
	for _, name := range []string{".gopclntab", ".data.rel.ro.gopclntab"} {
		if s := b.elf.Section(name); s != nil {
			if data := b.section(name); headerFits(data) {
				return s.Addr, data
			}
		}
	}
	magic := binary.LittleEndian.AppendUint32(nil, pclntab.Magic)
	for _, name := range []string{".data.rel.ro", ".rodata"} {
		s, data := b.elf.Section(name), b.section(name)
		for from := 0; s != nil && from < len(data); {
			i := bytes.Index(data[from:], magic)
			if i < 0 {
				break
			}
			if at := from + i; headerFits(data[at:]) {
				return s.Addr + uint64(at), data[at:]
			}
			from += i + 1
		}
	}
	return 0, nil
}

func headerFits(data []byte) bool {
	h, err := pclntab.ParseHeader(data)
	return err == nil && h.Functab < uint64(len(data)) && h.Funcs > 0
}

// findModule finds runtime.firstmoduledata: the one place that points at the
// table and, next to it, at the table's function names.
func (b *Binary) findModule(table uint64, data []byte) (moduleData, bool) {
	header, err := pclntab.ParseHeader(data)
	if err != nil {
		return moduleData{}, false
	}
	relocs := b.relativeRelocs(table)
	for _, addr := range append(relocs, b.wordsEqual(table)...) {
		if m, ok := b.readModule(addr, table, header); ok {
			return m, true
		}
	}
	return moduleData{}, false
}

// wordsEqual are the addresses of the aligned words in writable data that hold
// value.
func (b *Binary) wordsEqual(value uint64) (addrs []uint64) {
	pattern := binary.LittleEndian.AppendUint64(nil, value)
	for _, name := range []string{".go.module", ".noptrdata", ".data", ".data.rel.ro"} {
		s, data := b.elf.Section(name), b.section(name)
		for from := 0; s != nil && from < len(data); {
			i := bytes.Index(data[from:], pattern)
			if i < 0 {
				break
			}
			if addr := s.Addr + uint64(from+i); addr%8 == 0 {
				addrs = append(addrs, addr)
			}
			from += i + 1
		}
	}
	return addrs
}

// readModule reads the module data at addr and checks it against the table.
func (b *Binary) readModule(addr, table uint64, h pclntab.Header) (moduleData, bool) {
	mem := b.bytesAt(addr)
	if len(mem) < moduleSize {
		return moduleData{}, false
	}
	word := b.relocated(addr, mem[:moduleSize])
	if word(modulePCHeader) != table || word(moduleNames) != table+h.Names {
		return moduleData{}, false
	}
	m := moduleData{text: word(moduleText), types: word(moduleTypes), etypes: word(moduleETypes), gofunc: word(moduleGofunc)}
	minpc := word(moduleMinPC)
	m.typelinks, m.itablinks = b.readLinks(addr)
	return m, m.text != 0 && m.text <= minpc && b.bytesAt(m.text) != nil && m.types <= m.etypes
}

// readLinks finds the lists of types and itabs of the module data at addr. The
// list of types is told from anything else by its content, so that the Go
// version, which a binary may hide, does not matter: it holds offsets between
// types and etypes.
func (b *Binary) readLinks(addr uint64) (types, itabs listing) {
	mem := b.bytesAt(addr)
	if len(mem) < moduleFullSize {
		return listing{}, listing{}
	}
	word := b.relocated(addr, mem[:moduleFullSize])
	size := word(moduleETypes) - word(moduleTypes)
	for _, shift := range []uint64{0, moduleShiftGo1_26} {
		slice := func(off uint64) (l listing, ok bool) {
			n, most := word(off+shift+8), word(off+shift+16)
			return listing{word(off + shift), n}, n == most && n < maxLinks
		}
		types, typesOK := slice(moduleTypelinks)
		itabs, itabsOK := slice(moduleItablinks)
		content := b.bytesAt(types.addr)
		if !typesOK || !itabsOK || types.len == 0 || uint64(len(content)) < 4*types.len {
			continue
		}
		first, last := binary.LittleEndian.Uint32(content), binary.LittleEndian.Uint32(content[4*(types.len-1):])
		if uint64(first) < size && uint64(last) < size && uint64(len(b.bytesAt(itabs.addr))) >= wordSize*itabs.len {
			return types, itabs
		}
	}
	return listing{}, listing{}
}

// maxLinks bounds the types and itabs of a module.
const maxLinks = 1 << 22
