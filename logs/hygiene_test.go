package logs

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// clone is an engine of the same configuration on a copy of the run path, as a
// machine that was made from the snapshot.
func clone(t *testing.T, cfg Config) *Engine {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	require.NoError(t, os.CopyFS(dir, os.DirFS(cfg.RunPath)))
	cfg.RunPath = dir
	e, err := New(cfg, Deps{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = e.Stop(context.Background()) })
	return e
}

// Clones of a machine, running and its run path copied, share no session: nothing of
// one is taken for a repetition of the other.
func TestClonesShareNoSession(t *testing.T) {
	t.Parallel()
	for name, spool := range map[string]bool{"memory": false, "spool": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &backend{}
			b.start(t, "")
			machine, log := shipping(t, b.address, func(c *Config) { c.Spool.Enabled = spool })
			appendTo(t, log, "before\n")
			require.NoError(t, machine.Start(t.Context()))
			machine.BeforeSnapshot(soon(t))
			require.True(t, machine.Status().Paused)
			require.False(t, machine.Status().Running)
			require.NoError(t, machine.Flush(soon(t)))

			// The file of each clone is its own, too.
			var clones []*Engine
			for i := range 2 {
				cfg := machine.cfg
				cfg.Sources = slices.Clone(cfg.Sources)
				cfg.Sources[0].Path = filepath.Join(t.TempDir(), "app.log")
				appendTo(t, cfg.Sources[0].Path, strings.Repeat("clone\n", i+1))
				clones = append(clones, clone(t, cfg))
			}
			for range 3 {
				for _, e := range clones {
					e.AfterRestore() // before the start, and without one: nothing
					require.NoError(t, e.Start(t.Context()))
					require.NoError(t, e.Flush(soon(t)))
				}
			}
			for _, e := range clones {
				appendTo(t, e.cfg.Sources[0].Path, "after\n")
				e.AfterRestore() // while running: a new session again
				require.NoError(t, e.Flush(soon(t)))
				require.Zero(t, e.Status().Stream.StreamErrors)
				require.NoError(t, e.Stop(soon(t)))
			}
			machine.AfterRestore()
			require.False(t, machine.Status().Paused)
			appendTo(t, log, "the machine itself\n")
			require.NoError(t, machine.Flush(soon(t)))
			require.NoError(t, machine.Stop(soon(t)))

			text, _ := b.received(t)
			require.Equal(t, "before\nclone\nclone\nclone\nafter\nafter\nthe machine itself\n", sortedFrom(text))
			s := b.server.Stats()
			require.Zero(t, s.Repeated)
			require.Empty(t, s.Rejected)
		})
	}
}

// sortedFrom puts the lines of clones, which come in any order, before "after".
func sortedFrom(text string) string {
	for _, word := range []string{"clone\n", "after\n", "the machine itself\n"} {
		n := strings.Count(text, word)
		text = strings.ReplaceAll(text, word, "") + strings.Repeat(word, n)
	}
	return text
}

// What the application printed before the snapshot and could not be sent is not sent
// by the clones; what a file holds is.
func TestLinesOfTheBuildAreLeftBehind(t *testing.T) {
	t.Parallel()
	for name, spool := range map[string]bool{"memory": false, "spool": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := &backend{}
			b.start(t, "")
			b.stop(t) // away while the image is built
			e, log := shipping(t, b.address, func(c *Config) {
				c.Sources = append(c.Sources, SourceConfig{Type: SourceApp})
				c.Spool.Enabled = spool
			})
			stdout, _ := e.Output()
			appendTo(t, log, "file, before\n")
			require.NoError(t, e.Start(t.Context()))
			_, _ = stdout.Write([]byte("printed, before\n"))
			e.BeforeSnapshot(canceledSoon(t, 300*time.Millisecond))
			_, _ = stdout.Write([]byte("printed, in between\n"))
			b.start(t, "")
			e.AfterRestore()
			_, _ = stdout.Write([]byte("printed, after\n"))
			require.NoError(t, e.Flush(soon(t)))
			require.NoError(t, e.Stop(soon(t)))
			text, _ := b.received(t)
			require.ElementsMatch(t, []string{"file, before", "printed, after", ""}, strings.Split(text, "\n"))
		})
	}
}
