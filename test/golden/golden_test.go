package golden

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/debugger/snapshot/schemacheck"
)

var (
	updating = flag.Bool("update", false, "write the golden files anew")
	complete = flag.Bool("all", false, "test every build by every toolchain")
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shown is the function whose envelope is on record as a whole.
const shown = "main.stringThree"

// TestGolden captures every function in several builds.
func TestGolden(t *testing.T) {
	var mu sync.Mutex // guards what follows
	var functions []function
	results := map[variant]map[string]block{}
	t.Run("variants", func(t *testing.T) {
		for _, v := range variants(*complete || *updating) {
			t.Run(v.String(), func(t *testing.T) {
				t.Parallel()
				all, blocks := observe(t, v)
				mu.Lock()
				functions, results[v] = all, blocks
				mu.Unlock()
				if !*updating {
					compare(t, v, all, blocks)
				}
			})
		}
	})
	if *updating && !t.Failed() {
		require.Len(t, results, len(variants(true)), "all variants are needed to write the files")
		update(t, functions, results)
	}
}

func observe(t *testing.T, v variant) ([]function, map[string]block) {
	t.Helper()
	functions, snapshots, said := capture(t, compile(t, v))
	blocks := map[string]block{}
	for _, f := range functions {
		var b block
		for i, text := range snapshots[f.name] {
			require.NoError(t, schemacheck.Validate(text), f.name)
			tree, err := parse(text)
			require.NoError(t, err)
			if f.name == shown && v == (variant{current, optimised}) {
				checkEnvelope(t, tree)
			}
			snapshot := get(tree, "debugger", "snapshot")
			require.Equal(t, f.name, get(snapshot, "probe", "id"))
			if i > 0 {
				b.rest += again
			}
			b.stack += stack(get(snapshot, "stack"))
			b.rest += captures(get(snapshot, "captures"))
			if errors := get(snapshot, "evaluationErrors"); errors != nil {
				b.rest += "evaluationErrors " + render(errors, "") + "\n"
			}
		}
		if len(snapshots[f.name]) == 0 {
			b.rest += "no snapshot\n"
		}
		for _, note := range said[f.name] {
			b.rest += "note: " + note + "\n"
		}
		blocks[f.name] = b
	}
	return functions, blocks
}

// again is between the snapshots of a function that was called several times.
const again = "  again\n"

// captures has a line, or more, for each value.
func captures(v any) string {
	var b strings.Builder
	points, _ := v.([]member)
	for _, point := range points {
		groups, _ := point.value.([]member)
		for _, group := range groups {
			values, _ := group.value.([]member)
			for _, value := range values {
				fmt.Fprintf(&b, "%s.%s.%s %s\n", point.key, group.key, value.key, render(mask(value.value), ""))
			}
		}
	}
	return b.String()
}

// strippedNote is all that is said of a function in a stripped binary.
const strippedNote = "note: no debug information (built with -ldflags=-w or -s, or stripped): functions can be probed but variables cannot be read; rebuild without these flags\n"

func compare(t *testing.T, v variant, functions []function, blocks map[string]block) {
	t.Helper()
	files := record{}
	for _, f := range functions {
		expected, got := files.expected(t, v, f), blocks[f.name]
		same := got.String() == expected
		if v.build == stripped && got.stack != "" {
			// What a stripped binary has to show begins like what others show.
			same = strings.HasPrefix(expected, got.stack) && strings.ReplaceAll(got.rest, again, "") == notes(expected)+strippedNote
		}
		if !same {
			t.Errorf("%s\n--- got\n%s--- expected\n%s", f.name, got, expected)
		}
	}
}

// notes are the lines of a block that say what is not seen.
func notes(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "note: ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func checkEnvelope(t *testing.T, tree any) {
	t.Helper()
	name := filepath.Join("testdata", "envelope.golden")
	got := envelope(tree)
	if *updating {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
		return
	}
	expected, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, string(expected), got)
}
