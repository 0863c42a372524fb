package binary

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"slices"
	"sort"
	"sync"
)

// relaSize is the length of a relocation with addend (elf(5)).
const relaSize = 24

// relocations are those the loader applies by adding the bias to a link-time
// address: what a pointer in the file holds once the binary is loaded without a
// bias. The sections stay in the mapping when they are in address order, which
// is how the Go linker writes them.
type relocations struct {
	once   sync.Once
	sorted [][]byte // sections in address order
	other  []relocation
}

type relocation struct{ at, value uint64 }

// eachRelative calls f for each relocation.
func (b *Binary) eachRelative(f func(at, value uint64)) {
	for _, data := range b.relocationSections() {
		for ; len(data) >= relaSize; data = data[relaSize:] {
			if isRelative(data) {
				f(binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[16:]))
			}
		}
	}
}

func (b *Binary) relocationSections() (sections [][]byte) {
	if !b.pie {
		return nil
	}
	for _, s := range b.elf.Sections {
		if s.Type == elf.SHT_RELA { //nolint:misspell // as elf(5) has it
			sections = append(sections, b.section(s.Name))
		}
	}
	return sections
}

func isRelative(entry []byte) bool {
	return elf.R_X86_64(binary.LittleEndian.Uint32(entry[8:])) == elf.R_X86_64_RELATIVE
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
	return func(off uint64) uint64 {
		if v, ok := b.relocation(addr + off); ok {
			return v
		}
		return binary.LittleEndian.Uint64(mem[off:])
	}
}

// word is the pointer-sized word at a link-time address, relocated.
func (b *Binary) word(addr uint64) (v uint64, ok bool) {
	if v, ok := b.relocation(addr); ok {
		return v, true
	}
	mem := b.bytesAt(addr)
	if len(mem) < wordSize {
		return 0, false
	}
	return binary.LittleEndian.Uint64(mem), true
}

// relocation is what the loader puts at an address.
func (b *Binary) relocation(addr uint64) (v uint64, ok bool) {
	b.relocs.once.Do(b.readRelocations)
	for _, data := range b.relocs.sorted {
		n := len(data) / relaSize
		i := sort.Search(n, func(i int) bool { return binary.LittleEndian.Uint64(data[i*relaSize:]) >= addr })
		if i < n && binary.LittleEndian.Uint64(data[i*relaSize:]) == addr && isRelative(data[i*relaSize:]) {
			return binary.LittleEndian.Uint64(data[i*relaSize+16:]), true
		}
	}
	i, ok := slices.BinarySearchFunc(b.relocs.other, addr, func(r relocation, addr uint64) int { return cmp.Compare(r.at, addr) })
	if !ok {
		return 0, false
	}
	return b.relocs.other[i].value, true
}

func (b *Binary) readRelocations() {
	for _, data := range b.relocationSections() {
		ordered := true
		for i := relaSize; i+relaSize <= len(data) && ordered; i += relaSize {
			ordered = binary.LittleEndian.Uint64(data[i-relaSize:]) <= binary.LittleEndian.Uint64(data[i:])
		}
		if ordered {
			b.relocs.sorted = append(b.relocs.sorted, data)
			continue
		}
		for ; len(data) >= relaSize; data = data[relaSize:] {
			if isRelative(data) {
				b.relocs.other = append(b.relocs.other, relocation{binary.LittleEndian.Uint64(data), binary.LittleEndian.Uint64(data[16:])})
			}
		}
	}
	slices.SortStableFunc(b.relocs.other, func(a, c relocation) int { return cmp.Compare(a.at, c.at) })
}
