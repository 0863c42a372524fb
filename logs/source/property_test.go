package source

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Whatever is written, and however the file is rotated, truncated and the agent
// restarted in between: the records are what was written, in order, each byte
// once. Rotated files that the pattern matches by themselves, and that appear
// between the same two looks, have no order among each other. Durable is everything at once here, so a restart repeats nothing.
func TestNothingIsLostOrRepeated(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		root := filepath.Join(temp, fmt.Sprint(round))
		a := &agent{logs: filepath.Join(root, "logs"), run: filepath.Join(root, "run"), commit: true}
		require.NoError(t, os.MkdirAll(a.logs, 0o700))
		pattern := rapid.SampledFrom([]string{"app.log", "app.log*", "*"}).Draw(t, "pattern")
		a.cfg = Config{
			Patterns: []Pattern{{Path: a.path(pattern), FromEnd: rapid.Bool().Draw(t, "from the end")}},
			Poll:     50 * time.Millisecond, Scan: 200 * time.Millisecond,
			PollOnly: rapid.Bool().Draw(t, "poll only"),
		}
		a.full = rapid.Bool().Draw(t, "no room for rests")
		a.start(t)
		defer a.stop(t)

		var want strings.Builder
		half := false // the last line is not complete
		rotations := 0
		line := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]byte("abc 019\r\t\x00\xff")), 0, 40), func(b []byte) string { return string(b) })
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				text := strings.Join(rapid.SliceOfN(line, 1, 20).Draw(t, "lines"), "\n") + "\n"
				a.write(t, "app.log", text)
				want.WriteString(text)
				half = false
			},
			"write half a line": func(t *rapid.T) {
				text := line.Draw(t, "half")
				a.write(t, "app.log", text)
				want.WriteString(text)
				half = half || text != ""
			},
			"rotate": func(t *rapid.T) {
				if half {
					t.Skip("rotation cuts no line")
				}
				if _, err := os.Stat(a.path("app.log")); err != nil {
					t.Skip("no file")
				}
				for i := rotations; i > 0; i-- {
					a.rename(t, fmt.Sprintf("app.log.%d", i), fmt.Sprintf("app.log.%d", i+1))
				}
				a.rename(t, "app.log", "app.log.1")
				rotations++
				time.Sleep(10 * time.Millisecond) // rotations that share a file time have no order
			},
			"truncate": func(t *rapid.T) {
				if half {
					t.Skip("truncation cuts no line")
				}
				a.sync(t) // what is not read before a truncation is gone
				if os.Truncate(a.path("app.log"), 0) == nil {
					a.sync(t)
				}
			},
			"restart": func(t *rapid.T) { a.restart(t) },
			"pause":   func(t *rapid.T) { time.Sleep(time.Duration(rapid.IntRange(1, 30).Draw(t, "ms")) * time.Millisecond) },
		})
		if half {
			a.write(t, "app.log", "\n")
			want.WriteByte('\n')
		}
		a.sync(t)
		if pattern == "app.log" {
			a.wants(t, want.String())
			return
		}
		eventually(t, "everything is read", func() bool { return len(a.text()) >= want.Len() })
		require.Equal(t, sorted(want.String()), sorted(a.text()))
	})
}

func sorted(text string) []string {
	return slices.Sorted(strings.Lines(text))
}

// The same for an agent that dies: what was not durable is read again, nothing
// is skipped, and what is repeated is exactly what was not durable.
func TestKilledAgentRepeatsOnlyWhatWasNotDurable(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		root := filepath.Join(temp, fmt.Sprint(round))
		a := &agent{logs: filepath.Join(root, "logs"), run: filepath.Join(root, "run")}
		require.NoError(t, os.MkdirAll(a.logs, 0o700))
		a.cfg = Config{Patterns: []Pattern{{Path: a.path("app.log")}}, Poll: 50 * time.Millisecond}
		var written []string
		durable := 0
		for range rapid.IntRange(1, 4).Draw(t, "lives") {
			for range rapid.IntRange(0, 20).Draw(t, "lines") {
				text := fmt.Sprintf("line %d", len(written))
				written = append(written, text)
				a.write(t, "app.log", text+"\n")
			}
			a.lines = nil
			a.start(t)
			a.sync(t)
			var want strings.Builder
			for _, text := range written[durable:] {
				want.WriteString(text + "\n")
			}
			require.Equal(t, want.String(), a.text())
			if n := rapid.IntRange(0, len(a.lines)).Draw(t, "durable"); n > 0 {
				a.registry.CommitThrough(a.lines[n-1].Origin)
				durable += n
			}
			// A kill writes nothing more; what was flushed before it is what stays.
			require.NoError(t, a.registry.Flush(context.Background()))
			saved, err := os.ReadFile(a.registry.Status().Path)
			require.NoError(t, err)
			a.stop(t)
			require.NoError(t, os.WriteFile(a.registry.Status().Path, saved, 0o600))
		}
	})
}
