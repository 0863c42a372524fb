// Command debugger measures what probes cost: a hit at each class of instruction,
// the decoding of a snapshot, and the first probe in a large program.
//
//	go run ./tasks bench debugger [-json]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/vigil-agent/vigil/debugger/bpf"
)

func main() {
	if path := os.Getenv(armed); path != "" {
		if err := arm(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintf(os.Stderr, "bench debugger: %v; see go run ./tasks bench debugger -h\n", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench debugger:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("wrong arguments")

// What can be measured.
var all = []string{"hits", "decode", "first"}

// options are the command line.
type options struct {
	rounds, calls, snapshots int
	only                     []string
	json                     bool
}

func parse(args []string) (options, error) {
	var o options
	var only string
	flags := flag.NewFlagSet("bench debugger", flag.ContinueOnError)
	flags.IntVar(&o.rounds, "rounds", 7, "how often everything is measured; the results are medians")
	flags.IntVar(&o.calls, "calls", 2000, "calls that are timed together")
	flags.IntVar(&o.snapshots, "snapshots", 20_000, "snapshots that are timed together")
	flags.StringVar(&only, "only", strings.Join(all, ","), "what to measure")
	flags.BoolVar(&o.json, "json", false, "print one JSON object instead of tables")
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), `usage: go run ./tasks bench debugger [FLAGS]

Needs root. Measures

  hits    what a call costs a program: with an empty program, which is the trap
          alone, with a probe over its rate, an empty one, with the call stack, and
          with 1 KiB captured; at PUSH RBP, at the conditional jump before it, at an
          instruction the kernel steps over, and at entry and return together
  decode  the agent's processor time for a snapshot, to JSON, and its allocations
  first   from opening a program to its first probe, in time and memory: for cmd/go
          and for an unoptimised caddy of more than 100 MB, which is built the first
          time and kept in the user's cache directory

Compare figures of one run: under virtualisation traps are dear, and noisy.

Flags:
`)
		flags.PrintDefaults()
		fmt.Fprint(flags.Output(), `
Examples:
  go run ./tasks bench debugger
  go run ./tasks bench debugger -only hits -rounds 15
  go run ./tasks bench debugger -json | jq '.hits[] | select(.site == "push")'
`)
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%w: %q: there are flags only", errUsage, flags.Arg(0))
	}
	if o.rounds < 1 || o.calls < 10 || o.snapshots < 1 {
		return o, fmt.Errorf("%w: use at least 1 round, 10 calls and 1 snapshot", errUsage)
	}
	for name := range strings.SplitSeq(only, ",") {
		if !slices.Contains(all, name) {
			return o, fmt.Errorf("%w: -only: no %q; there are %s", errUsage, name, strings.Join(all, ", "))
		}
		o.only = append(o.only, name)
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if err := bpf.Supported(); err != nil {
		return err
	}
	r, err := measure(ctx, o)
	progress("")
	if err != nil {
		return err
	}
	if o.json {
		return json.NewEncoder(stdout).Encode(r)
	}
	r.print(stdout)
	return nil
}

func measure(ctx context.Context, o options) (r results, err error) {
	if slices.Contains(o.only, "first") {
		paths, err := programs(ctx)
		if err != nil {
			return r, err
		}
		if r.Firsts, err = measureFirst(ctx, paths, o); err != nil {
			return r, err
		}
	}
	if !slices.Contains(o.only, "hits") && !slices.Contains(o.only, "decode") {
		return r, nil
	}
	t, err := startTarget(ctx)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.end()) }()
	if slices.Contains(o.only, "hits") {
		if r.Hits, err = measureHits(ctx, t, o); err != nil {
			return r, err
		}
	}
	if slices.Contains(o.only, "decode") {
		r.Decodings, err = measureDecoding(t, o)
	}
	return r, err
}
