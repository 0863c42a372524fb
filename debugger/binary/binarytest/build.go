// Package binarytest builds the fixture programs of the debugger's tests: small
// Go programs, compiled on demand for each set of flags and each toolchain.
package binarytest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Build says how a fixture is built. The zero value is a release build by the
// toolchain that runs the test.
type Build struct {
	// Flags are given to go build, e.g. "-buildmode=pie".
	Flags []string
	// Toolchain is a GOTOOLCHAIN such as "go1.25.4"; the test is skipped when it
	// cannot be had.
	Toolchain string
	// Arch is a GOARCH, with cgo off.
	Arch string
	// Experiment is a GOEXPERIMENT.
	Experiment string
	// Compress is the compression of the debug sections, "zlib" or "zstd", which
	// objcopy applies; the test is skipped without it.
	Compress string
	// CGO links with the C toolchain; the test is skipped without one.
	CGO bool
}

// Older are the toolchains besides the current one whose binaries are
// supported.
var Older = []string{"go1.24.9", "go1.25.4"}

// Variants are builds that binaries in use are made by.
var Variants = map[string]Build{
	"release":     {},
	"unoptimised": {Flags: []string{"-gcflags=all=-N -l"}},
	"no dwarf":    {Flags: []string{"-ldflags=-w"}},
	"stripped":    {Flags: []string{"-ldflags=-s"}},
	"pie":         {Flags: []string{"-buildmode=pie"}},
	"trimpath":    {Flags: []string{"-trimpath"}},
	"dwarf plain": {Flags: []string{"-ldflags=-compressdwarf=false"}},
	"zlib":        {Compress: "zlib"},
	"zstd":        {Compress: "zstd"},
}

// Matrix is every supported toolchain in the builds that change what is in the
// file, by a name that begins with that of the variant. Go 1.24 writes DWARF 4,
// the others DWARF 5.
func Matrix() map[string]Build {
	all := map[string]Build{}
	maps.Copy(all, Variants)
	for _, toolchain := range Older {
		for _, name := range []string{"release", "unoptimised", "stripped", "pie", "zstd"} {
			b := Variants[name]
			b.Toolchain = toolchain
			all[name+" "+toolchain] = b
		}
	}
	return all
}

// locks serialise the builds of one fixture within a process.
var locks sync.Map

// Fixture builds the program in dir, "testdata/name" of the calling test, and
// returns its path. Results are kept in the user's cache directory, by source,
// flags and toolchain.
func Fixture(tb testing.TB, dir string, b Build) string {
	tb.Helper()
	if b.CGO {
		if _, err := exec.LookPath("gcc"); err != nil {
			tb.Skipf("no C compiler: %v", err)
		}
	}
	sources, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(sources) == 0 {
		tb.Fatalf("no fixture in %s: %v", dir, err)
	}
	assembly, _ := filepath.Glob(filepath.Join(dir, "*.s")) // the pattern is good
	sources = append(sources, assembly...)
	out := filepath.Join(cacheDir(tb), cacheKey(tb, sources, b))
	unlock := lock(out)
	defer unlock()
	if _, err := os.Stat(out); err == nil {
		return out
	}
	b.build(tb, sources, out)
	return out
}

// Command builds a command of the standard distribution, such as "cmd/go", which
// is a large program, and returns its path. Tests that need one are skipped in
// short mode.
func Command(tb testing.TB, pkg string) string {
	tb.Helper()
	if testing.Short() {
		tb.Skip("builds a large program")
	}
	out := filepath.Join(cacheDir(tb), filepath.Base(pkg)+"-"+runtime.Version())
	unlock := lock(out)
	defer unlock()
	if _, err := os.Stat(out); err == nil {
		return out
	}
	program := filepath.Join(tb.TempDir(), "program")
	cmd := exec.CommandContext(tb.Context(), "go", "build", "-o", program, pkg)
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	if text, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("build %s: %v\n%s", pkg, err, text)
	}
	if err := move(program, out); err != nil {
		tb.Fatalf("keep %s: %v", pkg, err)
	}
	return out
}

func lock(name string) (unlock func()) {
	mu, _ := locks.LoadOrStore(name, &sync.Mutex{})
	mu.(*sync.Mutex).Lock()
	return mu.(*sync.Mutex).Unlock
}

func cacheDir(tb testing.TB) string {
	tb.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	dir := filepath.Join(base, "vigil-fixtures")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		tb.Fatalf("fixture cache: %v", err)
	}
	return dir
}

func cacheKey(tb testing.TB, sources []string, b Build) string {
	tb.Helper()
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), b)
	for _, path := range sources {
		text, err := os.ReadFile(path)
		if err != nil {
			tb.Fatalf("read fixture: %v", err)
		}
		fmt.Fprintln(h, filepath.Base(path), len(text))
		h.Write(text)
	}
	return filepath.Base(filepath.Dir(sources[0])) + "-" + hex.EncodeToString(h.Sum(nil)[:8])
}

// build compiles into a place of its own and moves the result into the cache, so
// that tests of several packages may build the same fixture at once. The source
// is copied to a directory with a fixed name, because its path ends up in the
// binary.
func (b Build) build(tb testing.TB, sources []string, out string) {
	tb.Helper()
	work := tb.TempDir()
	write := func(name string, text []byte) {
		if err := os.WriteFile(filepath.Join(work, name), text, 0o600); err != nil {
			tb.Fatalf("write fixture: %v", err)
		}
	}
	write("go.mod", []byte("module fixture\n\ngo 1.24\n"))
	for _, path := range sources {
		text, err := os.ReadFile(path)
		if err != nil {
			tb.Fatalf("read fixture: %v", err)
		}
		write(filepath.Base(path), text)
	}
	args := append([]string{"build", "-o", "program"}, b.Flags...)
	cmd := exec.CommandContext(tb.Context(), "go", append(args, ".")...)
	cmd.Dir = work
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false", "CGO_ENABLED=0")
	if b.CGO {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=1")
	}
	if b.Arch != "" {
		cmd.Env = append(cmd.Env, "GOARCH="+b.Arch)
	}
	if b.Experiment != "" {
		cmd.Env = append(cmd.Env, "GOEXPERIMENT="+b.Experiment)
	}
	if b.Toolchain != "" {
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN="+b.Toolchain)
	}
	if text, err := cmd.CombinedOutput(); err != nil {
		if b.Toolchain != "" && strings.Contains(string(text), "toolchain") {
			tb.Skipf("toolchain %s cannot be had: %s", b.Toolchain, text)
		}
		tb.Fatalf("build fixture: %v\n%s", err, text)
	}
	if b.Compress != "" {
		compress(tb, filepath.Join(work, "program"), b.Compress)
	}
	if err := move(filepath.Join(work, "program"), out); err != nil {
		tb.Fatalf("keep fixture: %v", err)
	}
}

// compress compresses the debug sections of a program anew.
func compress(tb testing.TB, program, how string) {
	tb.Helper()
	objcopy, err := exec.LookPath("objcopy")
	if err != nil {
		tb.Skipf("no objcopy: %v", err)
	}
	for _, flag := range []string{"--decompress-debug-sections", "--compress-debug-sections=" + how} {
		if text, err := exec.CommandContext(tb.Context(), objcopy, flag, program).CombinedOutput(); err != nil {
			tb.Skipf("objcopy cannot do %s: %v %s", flag, err, text)
		}
	}
}

// move renames, through a copy when the two are on different file systems.
func move(from, to string) error {
	if err := os.Rename(from, to); err == nil {
		return nil
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("read build: %w", err)
	}
	tmp := fmt.Sprintf("%s.%d", to, os.Getpid())
	if err := os.WriteFile(tmp, text, 0o700); err != nil {
		return fmt.Errorf("copy build: %w", err)
	}
	if err := os.Rename(tmp, to); err != nil {
		return fmt.Errorf("rename build: %w", err)
	}
	return nil
}
