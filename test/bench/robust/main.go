// Command robust plays every fault between the agent and the receiving side,
// and compares what arrived with what was written.
//
//	go run ./tasks bench robust [-lines 1000000] [-faults F1,F2] [-modes memory,spool]
//
// It ends with 1 when a line is lost, or comes twice that should not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/vigil-agent/vigil/test/harness"
	"github.com/vigil-agent/vigil/test/robust"
)

func main() {
	lines := flag.Int("lines", 1_000_000, "lines for each fault, 1000 at least")
	names := flag.String("faults", "", "which faults, by their ids (default: all)")
	modes := flag.String("modes", "memory,spool", "how the agent keeps batches")
	agent := flag.String("agent", "", "a built agent (default: build one)")
	at := flag.Int("parallel", 2, "faults that are played at a time")
	timeout := flag.Duration("timeout", 15*time.Minute, "bound of one fault")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o := robust.Options{Agent: *agent, Lines: *lines, Timeout: *timeout}
	if err := run(ctx, o, *names, *modes, *at); err != nil {
		fmt.Fprintln(os.Stderr, "bench robust:", err)
		os.Exit(1)
	}
}

// job is one fault in one mode.
type job struct {
	fault robust.Fault
	mode  robust.Mode
}

// choose is what to play.
func choose(names, modes string) (jobs []job, err error) {
	known := robust.Faults()
	for name := range strings.SplitSeq(names, ",") {
		if name != "" && !slices.ContainsFunc(known, func(f robust.Fault) bool { return f.ID == name }) {
			return nil, fmt.Errorf("no fault %q", name)
		}
	}
	for _, f := range known {
		if names != "" && !slices.Contains(strings.Split(names, ","), f.ID) {
			continue
		}
		for _, mode := range f.Modes {
			if slices.Contains(strings.Split(modes, ","), string(mode)) {
				jobs = append(jobs, job{f, mode})
			}
		}
	}
	if jobs == nil {
		return nil, errors.New("nothing to play: the modes are memory and spool")
	}
	return jobs, nil
}

func run(ctx context.Context, o robust.Options, names, modes string, at int) (err error) {
	jobs, err := choose(names, modes)
	if err != nil {
		return err
	}
	if o.Agent == "" {
		dir, err := os.MkdirTemp("", "vigil-robust-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // it is in the folder of temporary files
		o.Agent = filepath.Join(dir, "vigil")
		if err := harness.Build(ctx, harness.Agent, o.Agent, "-ldflags=-s -w"); err != nil {
			return err
		}
	}
	results := make([]robust.Result, len(jobs))
	slots := make(chan struct{}, max(1, at))
	var wg sync.WaitGroup
	for i, j := range jobs {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			results[i] = j.fault.Play(ctx, j.mode, o)
			fmt.Fprintf(os.Stderr, "%s, %s: %s\n", results[i].Fault, results[i].Mode, verdict(results[i]))
		})
	}
	wg.Wait()
	return report(results)
}

func verdict(r robust.Result) string {
	switch {
	case r.Err == nil:
		return "ok"
	case errors.Is(r.Err, robust.ErrNotSupported):
		return "not supported here"
	case errors.Is(r.Err, robust.ErrNotPlayed):
		return "NOT PLAYED"
	default:
		return "VIOLATION"
	}
}

// report prints the table, and then what is wrong.
func report(results []robust.Result) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "fault\twhat happens\tmode\tplayed\tlines\tlost\tduplicated\twindow\taside\tstream errors\treplayed batches\tpeak MB\tseconds\tverdict\n")
	var errs []error
	for _, r := range results {
		lost := strconv.Itoa(r.Lost)
		if r.Gone > 0 {
			lost += fmt.Sprintf(" (%d counted)", r.Gone)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%d\t%s\t%d\t%d\t%d\t%d\t%d\t%d\t%.1f\t%s\n", r.Fault, r.Name, r.Mode, r.Played, r.Lines, lost, r.Duplicated, r.Window,
			r.Quarantined, r.StreamErrors, r.Replayed, r.Peak>>20, r.Took.Seconds(), verdict(r))
		if r.Err != nil && !errors.Is(r.Err, robust.ErrNotSupported) {
			errs = append(errs, fmt.Errorf("%s, %s: %w", r.Fault, r.Mode, r.Err))
		}
	}
	return errors.Join(table.Flush(), errors.Join(errs...))
}
