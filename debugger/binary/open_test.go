package binary_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
)

// open opens a binary until the test ends.
func open(tb testing.TB, path string) *binary.Binary {
	tb.Helper()
	bin, err := binary.Open(path)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, bin.Close()) })
	return bin
}

func fixture(tb testing.TB, name string, b binarytest.Build) *binary.Binary {
	tb.Helper()
	return open(tb, binarytest.Fixture(tb, filepath.Join("testdata", name), b))
}

func TestOpenVariants(t *testing.T) {
	t.Parallel()
	for name, b := range binarytest.Matrix() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := fixture(t, "stack", b)
			if b.Toolchain != "" {
				require.Equal(t, b.Toolchain, bin.GoVersion())
			}
			require.Equal(t, strings.HasPrefix(name, "pie"), bin.PIE())

			fn, err := bin.FindFunction("main.main")
			require.NoError(t, err)
			require.Equal(t, "main.go", filepath.Base(fn.File))
			off, ok := bin.FileOffset(fn.Entry)
			require.True(t, ok)
			addr, ok := bin.Address(off)
			require.True(t, ok)
			require.Equal(t, fn.Entry, addr)

			noDebug := strings.HasPrefix(name, "no dwarf") || strings.HasPrefix(name, "stripped")
			_, err = bin.Signature(fn, binary.Reach{Depth: 1})
			if noDebug {
				require.ErrorIs(t, bin.DebugInfo(), binary.ErrNoDWARF)
				require.ErrorIs(t, err, binary.ErrNoDWARF)
			} else {
				require.NoError(t, bin.DebugInfo())
				require.NoError(t, err)
			}
			goid, err := bin.GoIDOffset()
			require.NoError(t, err)
			want := uint32(152)
			if b.Toolchain == "go1.24.9" {
				want = 160
			}
			require.Equal(t, want, goid)
		})
	}
}

// report is what the stack fixture prints.
type report struct {
	Main   uint64
	Frames []struct {
		PC       uint64
		Function string
		File     string
		Line     int
	}
}

func run(t *testing.T, path string) (r report) {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), path).Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &r))
	return r
}

// TestFramesMatchRuntime compares frames with what the running program says
// about its own stack. The runtime gives one address for each logical call; our
// frames for it are that call and its callers up to the function that has the
// code.
func TestFramesMatchRuntime(t *testing.T) {
	t.Parallel()
	for name, b := range binarytest.Matrix() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := fixture(t, "stack", b)
			r := run(t, bin.Path())
			fn, err := bin.FindFunction("main.main")
			require.NoError(t, err)
			bias := r.Main - fn.Entry
			s := bin.Symbolizer()
			inlined := 0
			for i, want := range r.Frames {
				frames := s.Frames(want.PC-bias, true)
				require.NotEmpty(t, frames)
				inlined += len(frames) - 1
				for j, frame := range frames {
					require.Less(t, i+j, len(r.Frames))
					w := r.Frames[i+j]
					require.Equal(t, binary.Frame{Function: w.Function, File: w.File, Line: w.Line}, frame)
				}
			}
			if !strings.HasPrefix(name, "unoptimised") {
				require.Positive(t, inlined, "nothing was inlined")
			}
			require.Contains(t, functionsOf(s.Frames(r.Frames[0].PC-bias, true)), "main.record")
			require.Nil(t, s.Frames(0, false))
		})
	}
}

func functionsOf(frames []binary.Frame) (names []string) {
	for _, f := range frames {
		names = append(names, f.Function)
	}
	return names
}

func TestOpenExternallyLinked(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{
		"plain":        nil,
		"pie":          {"-buildmode=pie"},
		"pie stripped": {"-buildmode=pie", "-ldflags=-s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := fixture(t, "external", binarytest.Build{CGO: true, Flags: flags})
			fn, err := bin.FindFunction("main.show")
			require.NoError(t, err)
			require.Equal(t, "main.show", bin.Symbolizer().Frames(fn.Entry, false)[0].Function)
			_, err = bin.GoIDOffset()
			require.NoError(t, err)
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	whole, err := os.ReadFile(binarytest.Fixture(t, "testdata/stack", binarytest.Build{}))
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		path string
		want error
	}{
		"missing":   {filepath.Join(dir, "none"), os.ErrNotExist},
		"directory": {dir, binary.ErrNotELF},
		"empty":     {write("empty", ""), binary.ErrNotELF},
		"text":      {write("text", "#!/bin/sh\n"), binary.ErrNotELF},
		"header":    {write("header", string(whole[:40])), binary.ErrCorrupt},
		"shell":     {"/bin/sh", binary.ErrNotGo},
		"arm64":     {binarytest.Fixture(t, "testdata/stack", binarytest.Build{Arch: "arm64"}), binary.ErrUnsupportedArch},
		"386":       {binarytest.Fixture(t, "testdata/stack", binarytest.Build{Arch: "386"}), binary.ErrUnsupportedArch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := binary.Open(tt.path)
			require.ErrorIs(t, err, tt.want)
			require.Contains(t, err.Error(), tt.path)
		})
	}
}

func TestUnsupportedArchNamesIt(t *testing.T) {
	t.Parallel()
	path := binarytest.Fixture(t, "testdata/stack", binarytest.Build{Arch: "arm64"})
	_, err := binary.Open(path)
	require.EqualError(t, err, path+": architecture is not supported yet: only amd64 (x86-64) binaries are (this is EM_AARCH64)")
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	bin := fixture(t, "stack", binarytest.Build{})
	f, err := os.Open(bin.Path())
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	id, err := binary.IdentityOf(f)
	require.NoError(t, err)
	require.Equal(t, id, bin.Identity())

	copied := filepath.Join(t.TempDir(), "copy")
	text, err := os.ReadFile(bin.Path())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(copied, text, 0o600))
	require.NotEqual(t, id, open(t, copied).Identity())
}

func TestClosed(t *testing.T) {
	t.Parallel()
	bin, err := binary.Open(binarytest.Fixture(t, "testdata/stack", binarytest.Build{}))
	require.NoError(t, err)
	fn, err := bin.FindFunction("main.main")
	require.NoError(t, err)
	require.NoError(t, bin.Close())
	require.NoError(t, bin.Close())

	_, err = bin.FindFunction("main.main")
	require.EqualError(t, err, "binary is closed")
	_, err = bin.Signature(fn, binary.Reach{Depth: 1})
	require.EqualError(t, err, "binary is closed")
	_, err = bin.Entry(fn)
	require.EqualError(t, err, "binary is closed")
	require.Nil(t, bin.Symbolizer().Frames(fn.Entry, false))
}

// copyOf copies a fixture to a path of the test's own.
func copyOf(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	data, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, data, 0o600))
	return to
}

// TestOpenPathIsTheOpenFile replaces a file after it was opened.
func TestOpenPathIsTheOpenFile(t *testing.T) {
	t.Parallel()
	path := copyOf(t, fixture(t, "stack", binarytest.Variants["release"]).Path())
	bin := open(t, path)
	before, err := os.Stat(path)
	require.NoError(t, err)
	require.NoError(t, os.Rename(copyOf(t, path), path))
	after, err := os.Stat(path)
	require.NoError(t, err)
	require.False(t, os.SameFile(before, after))
	opened, err := os.Stat(bin.OpenPath())
	require.NoError(t, err)
	require.True(t, os.SameFile(before, opened))
}

// TestReleaseGivesMemoryBack: the debug information of a large program must not
// stay in memory for as long as the program is probed.
func TestReleaseGivesMemoryBack(t *testing.T) {
	t.Parallel()
	whole := fixture(t, "stack", binarytest.Build{Flags: []string{"-ldflags=-compressdwarf=false"}})
	bin := open(t, copyOf(t, whole.Path()))
	fn, err := bin.FindFunction("main.main")
	require.NoError(t, err)
	_, err = bin.Signature(fn, binary.Reach{Depth: 3})
	require.NoError(t, err)
	require.Greater(t, residentKiB(t, bin.Path()), 100)
	bin.ReleaseDebugInfo()
	require.Less(t, residentKiB(t, bin.Path()), 100)
	_, err = bin.Signature(fn, binary.Reach{Depth: 3})
	require.NoError(t, err, "and it can be read again")
}

// residentKiB is how much of a mapped file is in memory (proc_pid_smaps(5)).
func residentKiB(t *testing.T, path string) (sum int) {
	t.Helper()
	smaps, err := os.ReadFile("/proc/self/smaps")
	require.NoError(t, err)
	mine := false
	for line := range strings.Lines(string(smaps)) {
		fields := strings.Fields(line)
		switch {
		case !strings.HasSuffix(fields[0], ":"):
			mine = fields[len(fields)-1] == path
		case mine && fields[0] == "Rss:":
			n, err := strconv.Atoi(fields[1])
			require.NoError(t, err)
			sum += n
		}
	}
	return sum
}

// TestBuildID compares with what the toolchain reads.
func TestBuildID(t *testing.T) {
	t.Parallel()
	for name, build := range binarytest.Matrix() {
		bin := fixture(t, "stack", build)
		want, err := exec.CommandContext(t.Context(), "go", "tool", "buildid", bin.Path()).Output()
		require.NoError(t, err)
		require.NotEmpty(t, bin.BuildID())
		require.Equal(t, strings.TrimSpace(string(want)), bin.BuildID(), name)
	}
}
