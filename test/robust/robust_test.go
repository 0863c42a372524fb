package robust

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/vigil-agent/vigil/test/harness"
)

// agent is the program, built once.
var agent string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "vigil-robust-")
	if err != nil {
		panic(err)
	}
	agent = filepath.Join(dir, "vigil")
	if err := harness.Build(context.Background(), harness.Agent, agent); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := errors.Join(os.RemoveAll(dir), goleak.Find()); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// Bounds of the short form: some dozens of batches for each fault. Most of the
// time is the product's own waiting, so many more are played than there are cores.
const (
	shortLines    = 3000
	shortParallel = 16
	shortTimeout  = 2 * time.Minute
)

var spaces = regexp.MustCompile(`[^A-Za-z0-9]+`)

// TestS8GroundTruth is S8: what is written arrives, whatever happens between.
func TestS8GroundTruth(t *testing.T) {
	t.Parallel()
	o := Options{Agent: agent, Lines: shortLines, Timeout: shortTimeout}
	slots := make(chan struct{}, shortParallel)
	type played struct {
		name   string
		result <-chan Result
	}
	var all []played
	// The long ones are first in line: they decide how long it takes.
	for _, long := range []bool{true, false} {
		for _, f := range Faults() {
			if (f.ID == "F9" || f.ID == "F10") != long {
				continue
			}
			for _, mode := range f.Modes {
				result := make(chan Result, 1)
				all = append(all, played{spaces.ReplaceAllString(f.ID+"_"+f.Name+"_"+string(mode), "_"), result})
				go func() { // ended when result is read, which every subtest does
					slots <- struct{}{}
					defer func() { <-slots }()
					r := f.Play(context.WithoutCancel(t.Context()), mode, o)
					// On a busy machine a moment can be missed; what was lost or
					// repeated is never played away.
					for again := 0; again < 3 && errors.Is(r.Err, ErrNotPlayed) && r.Lost == r.Gone && r.Duplicated <= r.Window; again++ {
						r = f.Play(context.WithoutCancel(t.Context()), mode, o)
					}
					result <- r
				}()
			}
		}
	}
	for _, p := range all {
		r := <-p.result
		t.Run(p.name, func(t *testing.T) {
			if errors.Is(r.Err, ErrNotSupported) {
				t.Skip(r.Err)
			}
			require.NoError(t, r.Err)
			require.Zero(t, r.Lost-r.Gone)
			require.LessOrEqual(t, r.Duplicated, r.Window)
		})
	}
}

// A comparison that finds nothing wrong must be able to.
func TestTruthTells(t *testing.T) {
	t.Parallel()
	newLines := func() (*truth, [][]byte) {
		tr, err := newTruth()
		require.NoError(t, err)
		var lines [][]byte
		for range 5 {
			line := tr.next(nil)
			lines = append(lines, line[:len(line)-1])
		}
		return tr, lines
	}
	for name, c := range map[string]struct {
		arrived []int
		change  bool
		want    tally
	}{
		"all":       {[]int{1, 2, 3, 4, 5}, false, tally{highest: 5}},
		"lost":      {[]int{1, 4}, false, tally{lost: 3, firstLost: 2, lastLost: 5, highest: 4}},
		"repeated":  {[]int{1, 2, 3, 2, 3, 4, 5}, false, tally{duplicated: 2, highest: 5}},
		"misplaced": {[]int{1, 3, 2, 4, 5}, false, tally{misplaced: 1, highest: 5}},
		"changed":   {[]int{1, 2, 3, 4, 5}, true, tally{foreign: 1, lost: 1, firstLost: 5, lastLost: 5, highest: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr, lines := newLines()
			if c.change {
				lines[4][len(lines[4])-1] ^= 1
			}
			for _, n := range c.arrived {
				tr.post(lines[n-1])
			}
			got, err := tr.compare(nil, t.TempDir())
			require.NoError(t, err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestEachCaseIsPlayed(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, f := range Faults() {
		require.Regexp(t, `^F[0-9]+[a-z]?$`, f.ID)
		require.False(t, seen[f.ID], f.ID)
		require.NotEmpty(t, f.Modes, f.ID)
		seen[f.ID] = true
	}
	for n := 1; n <= 31; n++ {
		require.True(t, seen[fmt.Sprintf("F%d", n)], "F%d", n)
	}
}
