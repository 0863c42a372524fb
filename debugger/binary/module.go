package binary

import (
	"bytes"
	"debug/elf"
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
}

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
	return m, m.text != 0 && m.text <= minpc && b.bytesAt(m.text) != nil && m.types <= m.etypes
}

// relaSize is the length of a relocation with addend (elf(5)).
const relaSize = 24

// eachRelative calls f for each relocation of the kind the loader applies by
// adding the bias to a link-time address.
func (b *Binary) eachRelative(f func(at, value uint64)) {
	if !b.pie {
		return
	}
	for _, s := range b.elf.Sections {
		if s.Type != elf.SHT_RELA { //nolint:misspell // as elf(5) has it
			continue
		}
		data := b.section(s.Name)
		for ; len(data) >= relaSize; data = data[relaSize:] {
			if elf.R_X86_64(binary.LittleEndian.Uint64(data[8:])) == elf.R_X86_64_RELATIVE {
				f(binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[16:]))
			}
		}
	}
}

// relativeRelocs are the addresses that hold value once the binary is loaded
// without a bias.
func (b *Binary) relativeRelocs(value uint64) (addrs []uint64) {
	b.eachRelative(func(at, v uint64) {
		if v == value {
			addrs = append(addrs, at)
		}
	})
	return addrs
}

// relocated returns a reader of the words of mem, which is at addr, with
// relocations applied.
func (b *Binary) relocated(addr uint64, mem []byte) func(off uint64) uint64 {
	patched := map[uint64]uint64{}
	b.eachRelative(func(at, v uint64) {
		if at-addr < uint64(len(mem)) {
			patched[at-addr] = v
		}
	})
	return func(off uint64) uint64 {
		if v, ok := patched[off]; ok {
			return v
		}
		return binary.LittleEndian.Uint64(mem[off:])
	}
}
