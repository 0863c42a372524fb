package golden

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// block is what is on record of one function in one build.
type block struct {
	// stack is the call stack, rest what was captured and what was said of it.
	stack, rest string
}

func (b block) String() string { return b.stack + b.rest }

const heading = "== "

// read reads the blocks of a file by function; a file that is not there has
// none.
func read(t *testing.T, name string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name+".golden"))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	blocks := map[string]string{}
	for part := range strings.SplitSeq("\n"+string(text), "\n"+heading) {
		if function, rest, ok := strings.Cut(part, "\n"); ok && function != "" {
			blocks[function] = strings.TrimSuffix(rest, "\n") + "\n"
		}
	}
	return blocks
}

// write writes blocks in the order of the functions; a file without any is
// removed.
func write(t *testing.T, name string, functions []function, blocks map[string]string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	var b strings.Builder
	for _, f := range functions {
		if text, ok := blocks[f.name]; ok {
			b.WriteString(heading + f.name + "\n" + text)
		}
	}
	if b.Len() == 0 {
		if err := os.Remove(path); !os.IsNotExist(err) {
			require.NoError(t, err)
		}
		return
	}
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
}

// places are the files that may hold a function's block of a variant, the first
// that has it wins.
func places(v variant, subject string) []string {
	return []string{
		filepath.Join("differences", v.String()),
		filepath.Join("differences", v.build),
		filepath.Join("differences", v.toolchain),
		filepath.Join("subjects", subject),
	}
}

// record is what was read from files.
type record map[string]map[string]string

func (r record) expected(t *testing.T, v variant, f function) string {
	t.Helper()
	for _, name := range places(v, f.subject) {
		if _, ok := r[name]; !ok {
			r[name] = read(t, name)
		}
		if text, ok := r[name][f.name]; ok {
			return text
		}
	}
	return ""
}

// update writes the files anew from what all variants have shown.
func update(t *testing.T, functions []function, results map[variant]map[string]block) {
	t.Helper()
	files := record{}
	put := func(name string, f function, text string) {
		if files[name] == nil {
			files[name] = map[string]string{}
		}
		files[name][f.name] = text
	}
	for _, f := range functions {
		base := variant{current, optimised}
		put(filepath.Join("subjects", f.subject), f, results[base][f.name].String())
		// The lone differences first: those of a build, those of a toolchain, and
		// then what is left of both.
		for _, round := range []func(variant) bool{
			func(v variant) bool { return v.toolchain == current && v.build != optimised },
			func(v variant) bool { return v.toolchain != current && v.build == optimised },
			func(v variant) bool { return v.toolchain != current && v.build != optimised },
		} {
			for v, blocks := range results {
				if !round(v) || v.build == stripped {
					continue
				}
				names := places(v, f.subject)
				name := names[0]
				if v.toolchain == current {
					name = names[1]
				} else if v.build == optimised {
					name = names[2]
				}
				text := blocks[f.name].String()
				expected := files.lookup(names, f)
				if text != expected {
					put(name, f, text)
				}
			}
		}
	}
	old, err := filepath.Glob(filepath.Join("testdata", "differences", "*.golden"))
	require.NoError(t, err)
	for _, path := range old {
		require.NoError(t, os.Remove(path))
	}
	for name, blocks := range files {
		write(t, name, functions, blocks)
	}
}

func (r record) lookup(names []string, f function) string {
	for _, name := range names {
		if text, ok := r[name][f.name]; ok {
			return text
		}
	}
	return ""
}
