package bpf

import (
	"bufio"
	"debug/dwarf"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/arch/x86/x86asm"

	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// buildDir holds the target once a test has built it.
var buildDir string

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if buildDir != "" {
			_ = os.RemoveAll(buildDir)
		}
		os.Exit(code)
	}))
}

// needKernel skips where probes cannot run, unless they have to.
func needKernel(tb testing.TB) {
	tb.Helper()
	err := Supported()
	if err == nil {
		return
	}
	if errors.Is(err, ErrNotSupported) && os.Getenv("VIGIL_REQUIRE_BPF") != "1" {
		tb.Skip(err)
	}
	tb.Fatal(err)
}

// targetFile is the built target and what the tests need to know about it.
type targetFile struct {
	path    string
	file    *elf.File
	symbols map[string]elf.Symbol
	goid    uint32
}

// targetBinary builds testdata/target once; a test that runs itself again
// passes on what it has.
var targetBinary = sync.OnceValues(func() (*targetFile, error) {
	b := &targetFile{path: os.Getenv("VIGIL_TEST_TARGET"), symbols: map[string]elf.Symbol{}}
	if b.path == "" {
		var err error
		if buildDir, err = os.MkdirTemp("", "vigil-bpf"); err != nil {
			return nil, err
		}
		b.path = filepath.Join(buildDir, "target")
		cmd := exec.Command("go", "build", "-o", b.path, "./testdata/target")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build the target: %w\n%s", err, out)
		}
	}
	var err error
	if b.file, err = elf.Open(b.path); err != nil {
		return nil, err
	}
	syms, err := b.file.Symbols()
	if err != nil {
		return nil, err
	}
	for _, s := range syms {
		b.symbols[s.Name] = s
	}
	b.goid, err = goidOffset(b.file)
	return b, err
})

func goidOffset(f *elf.File) (uint32, error) {
	d, err := f.DWARF()
	if err != nil {
		return 0, err
	}
	r := d.Reader()
	for {
		e, err := r.Next()
		if err != nil || e == nil {
			return 0, errors.Join(errors.New("no runtime.g in DWARF"), err)
		}
		if e.Tag != dwarf.TagStructType || e.Val(dwarf.AttrName) != "runtime.g" {
			continue
		}
		t, err := d.Type(e.Offset)
		if err != nil {
			return 0, err
		}
		for _, field := range t.(*dwarf.StructType).Field {
			if field.Name == "goid" {
				return uint32(field.ByteOffset), nil
			}
		}
	}
}

// code is the machine code of a function.
func (b *targetFile) code(tb testing.TB, function string) []byte {
	tb.Helper()
	s, ok := b.symbols[function]
	require.True(tb, ok, "no symbol %s", function)
	text := b.file.Section(".text")
	code := make([]byte, s.Size)
	_, err := text.ReadAt(code, int64(s.Value-text.Addr))
	require.NoError(tb, err)
	return code
}

// site is the first instruction of a function that match wants.
func (b *targetFile) site(tb testing.TB, function string, match func(x86asm.Inst) bool) plan.Site {
	tb.Helper()
	text := b.file.Section(".text")
	code := b.code(tb, function)
	for at := 0; at < len(code); {
		inst, err := x86asm.Decode(code[at:], 64)
		require.NoError(tb, err)
		if match(inst) {
			pc := b.symbols[function].Value + uint64(at)
			return plan.Site{PC: pc, FileOffset: pc - text.Addr + text.Offset, Kind: plan.SiteEntry, CFAOffset: 8}
		}
		at += inst.Len
	}
	tb.Fatalf("no such instruction in %s", function)
	return plan.Site{}
}

func callInst(i x86asm.Inst) bool { return i.Op == x86asm.CALL }

func anyInst(x86asm.Inst) bool { return true }

func pushRBP(i x86asm.Inst) bool { return i.Op == x86asm.PUSH && i.Args[0] == x86asm.RBP }

// entry is a plan without variables for a function, at its PUSH RBP.
func (b *targetFile) entry(tb testing.TB, function string) *plan.Plan {
	tb.Helper()
	return b.at(tb, function, pushRBP)
}

// at is a plan without variables for an instruction.
func (b *targetFile) at(tb testing.TB, function string, match func(x86asm.Inst) bool) *plan.Plan {
	tb.Helper()
	site := b.site(tb, function, match)
	p := &plan.Plan{ProbeID: function, Function: function, Sites: []plan.Site{site}, GoIDOffset: b.goid, Types: &gotype.Table{}}
	require.NoError(tb, plan.Compile(p))
	return p
}

// function is the name of the function a run-time address is in. The target is
// not position-independent, so addresses are those of the file.
func (b *targetFile) function(pc uint64) string {
	for name, s := range b.symbols {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC && s.Value <= pc && pc < s.Value+s.Size {
			return name
		}
	}
	return fmt.Sprintf("%#x", pc)
}

// process is a running target.
type process struct {
	pid int
	exe string
	in  io.WriteCloser
	out *bufio.Scanner
}

func getBinary(tb testing.TB) *targetFile {
	tb.Helper()
	b, err := targetBinary()
	require.NoError(tb, err)
	return b
}

// start runs the target until the end of the test.
func (b *targetFile) start(tb testing.TB) *process {
	tb.Helper()
	cmd := exec.Command(b.path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(tb, err)
	out, err := cmd.StdoutPipe()
	require.NoError(tb, err)
	require.NoError(tb, cmd.Start())
	p := &process{pid: cmd.Process.Pid, exe: fmt.Sprintf("/proc/%d/exe", cmd.Process.Pid), in: in, out: bufio.NewScanner(out)}
	tb.Cleanup(func() {
		_ = in.Close()
		require.NoError(tb, cmd.Wait(), "the target must end well")
	})
	require.Equal(tb, "ready", p.line(tb))
	return p
}

func (p *process) line(tb testing.TB) string {
	tb.Helper()
	require.True(tb, p.out.Scan(), "the target ended: %v", p.out.Err())
	return strings.TrimSpace(p.out.Text())
}

// call runs a command of the target and returns how long it took, in ns.
func (p *process) call(tb testing.TB, name string, n int) int64 {
	tb.Helper()
	_, err := fmt.Fprintf(p.in, "%s %d\n", name, n)
	require.NoError(tb, err)
	ns, err := strconv.ParseInt(p.line(tb), 10, 64)
	require.NoError(tb, err)
	return ns
}

// types builds the tables of hand-made plans.
type types struct{ gotype.Table }

func (t *types) scalar(kind gotype.Kind, name string, size uint64) gotype.ID {
	return t.Add(gotype.Type{Kind: kind, Name: name, Size: size})
}

func (t *types) str() gotype.ID { return t.scalar(gotype.String, "string", 16) }

func (t *types) slice(elem gotype.ID) gotype.ID {
	return t.Add(gotype.Type{Kind: gotype.Slice, Name: "[]" + t.Get(elem).Name, Size: 24, Elem: elem})
}

func (t *types) pointer(elem gotype.ID) gotype.ID {
	return t.Add(gotype.Type{Kind: gotype.Pointer, Name: "*" + t.Get(elem).Name, Size: 8, Elem: elem})
}

// abi assigns integer registers to variables the way ABIInternal does.
type abi struct{ next int }

var intRegisters = [...]uint8{0, 3, 2, 5, 4, 8, 9, 10, 11} // RAX RBX RCX RDI RSI R8 R9 R10 R11

// words are the pieces of a variable made of n words.
func (a *abi) words(n int) []plan.Piece {
	var pieces []plan.Piece
	for i := range n {
		pieces = append(pieces, a.piece(uint32(8*i), 8))
	}
	return pieces
}

func (a *abi) piece(dest, size uint32) plan.Piece {
	a.next++
	return plan.Piece{Kind: plan.PieceRegister, Reg: intRegisters[a.next-1], Dest: dest, Size: size}
}
