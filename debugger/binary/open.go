package binary

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/debugger/binary/pclntab"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

// Binary is an opened Go executable. It is safe for concurrent use until Close.
type Binary struct {
	path      string
	file      *os.File
	identity  Identity
	goVersion string
	pie       bool

	data     []byte // the mapping
	elf      *elf.File
	segments []segment
	module   moduleData
	table    *pclntab.Table
	relocs   relocations
	itabs    struct {
		once sync.Once
		all  implementations

		mu    sync.Mutex // guards found
		found map[uint64][]uint64
	}
	common struct {
		once  sync.Once
		types []uint64
	}

	layout struct {
		once    sync.Once
		runtime gotype.Runtime
		err     error
	}

	// mu guards the debug information, which is read on first use.
	mu    sync.Mutex
	debug *debugInfo
}

// segment is one PT_LOAD with bytes in the file.
type segment struct {
	vaddr, off, size uint64
	exec             bool
}

// Open maps the executable at path and reads what every question needs: its
// segments, Go version and function table. It fails with ErrNotELF,
// ErrNotGo, ErrUnsupportedArch, ErrUnsupportedGo or ErrCorrupt.
func Open(path string) (b *Binary, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open binary: %w", err)
	}
	data, id, err := mapFile(f)
	if err != nil {
		_ = f.Close() // read only: nothing to lose
		return nil, err
	}
	b = &Binary{path: path, file: f, identity: id, data: data}
	if err := b.read(); err != nil {
		_ = b.Close() // the first error is the one that matters
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

func (b *Binary) read() (err error) {
	defer guard(&err)()
	if len(b.data) < 4 || string(b.data[:4]) != elf.ELFMAG {
		return ErrNotELF
	}
	if b.elf, err = elf.NewFile(bytes.NewReader(b.data)); err != nil {
		return fmt.Errorf("%w (%w)", ErrCorrupt, err)
	}
	if b.elf.Type != elf.ET_EXEC && b.elf.Type != elf.ET_DYN {
		return fmt.Errorf("%w (this is %v)", ErrNotELF, b.elf.Type)
	}
	// The order matters: a Go program for another machine is told so rather
	// than called damaged, and so is a C program rather than unsupported.
	info, err := buildinfo.Read(bytes.NewReader(b.data))
	if err != nil && b.goSection() == nil {
		return ErrNotGo
	}
	if b.elf.Machine != elf.EM_X86_64 || b.elf.Class != elf.ELFCLASS64 || b.elf.Data != elf.ELFDATA2LSB {
		return fmt.Errorf("%w (this is %v)", ErrUnsupportedArch, b.elf.Machine)
	}
	if info != nil {
		b.goVersion = info.GoVersion
	}
	b.pie = b.elf.Type == elf.ET_DYN
	b.readSegments()
	return b.readTable()
}

// goSection is a section only Go binaries have.
func (b *Binary) goSection() *elf.Section {
	for _, name := range []string{".gopclntab", ".data.rel.ro.gopclntab", ".go.buildinfo", ".note.go.buildid"} {
		if s := b.elf.Section(name); s != nil {
			return s
		}
	}
	return nil
}

func (b *Binary) readSegments() {
	size := uint64(len(b.data))
	for _, p := range b.elf.Progs {
		if p.Type != elf.PT_LOAD || p.Filesz == 0 || p.Off > size || p.Filesz > size-p.Off || p.Vaddr+p.Filesz < p.Vaddr {
			continue
		}
		b.segments = append(b.segments, segment{vaddr: p.Vaddr, off: p.Off, size: p.Filesz, exec: p.Flags&elf.PF_X != 0})
	}
}

// section is the content of a section in the mapping, nil when it is absent,
// compressed or outside the file.
func (b *Binary) section(name string) []byte {
	s := b.elf.Section(name)
	if s == nil || s.Type == elf.SHT_NOBITS || s.Flags&elf.SHF_COMPRESSED != 0 {
		return nil
	}
	size := uint64(len(b.data))
	if s.Offset > size || s.FileSize > size-s.Offset {
		return nil
	}
	return b.data[s.Offset:][:s.FileSize]
}

// Close unmaps the file. Nothing read from b may be used after it, except
// values that say they are copies.
func (b *Binary) Close() error {
	if b.data == nil {
		return nil
	}
	data := b.data
	b.data, b.table, b.elf = nil, nil, nil
	b.ReleaseDebugInfo()
	_ = b.file.Close() // read only: nothing to lose
	if err := unix.Munmap(data); err != nil {
		return fmt.Errorf("unmap %s: %w", b.path, err)
	}
	return nil
}

// Path is the path the binary was opened by.
func (b *Binary) Path() string { return b.path }

// OpenPath is a path that means the open file itself until Close, whatever has
// become of Path: the process behind /proc/PID/exe may run another program by
// now. It holds for this process only.
func (b *Binary) OpenPath() string {
	return "/proc/self/fd/" + strconv.FormatUint(uint64(b.file.Fd()), 10)
}

// Identity is that of the file when it was opened.
func (b *Binary) Identity() Identity { return b.identity }

// GoVersion is the version of the toolchain, e.g. "go1.26.8", or "" when the
// binary does not say.
func (b *Binary) GoVersion() string { return b.goVersion }

// PIE reports whether the binary is position-independent: then run-time
// addresses are link-time addresses plus a bias that differs by process.
func (b *Binary) PIE() bool { return b.pie }

// FileOffset is where the byte at a link-time address is in the file. It is
// what uprobes are attached to.
func (b *Binary) FileOffset(addr uint64) (off uint64, ok bool) {
	for _, s := range b.segments {
		if addr >= s.vaddr && addr-s.vaddr < s.size {
			return addr - s.vaddr + s.off, true
		}
	}
	return 0, false
}

// Address is the link-time address of the byte at a file offset in an
// executable segment: the inverse of FileOffset for code. The bias of a
// process is the start of its executable mapping of the file minus the Address
// of that mapping's file offset.
func (b *Binary) Address(off uint64) (addr uint64, ok bool) {
	for _, s := range b.segments {
		// A mapping starts at a page boundary, at or before the segment.
		if start := s.off &^ 0xfff; s.exec && off >= start && off < s.off+s.size {
			return s.vaddr - s.off + off, true
		}
	}
	return 0, false
}

// bytesAt are the bytes of the file from a link-time address to the end of its
// segment, nil when the address is not in the file.
func (b *Binary) bytesAt(addr uint64) []byte {
	for _, s := range b.segments {
		if addr >= s.vaddr && addr-s.vaddr < s.size {
			return b.data[s.off:][:s.size][addr-s.vaddr:]
		}
	}
	return nil
}

// errClosed is returned by questions asked after Close.
var errClosed = errors.New("binary is closed")
