// Command logs measures what log lines cost on the wire and on a core: our two
// profiles beside what a shipper could do instead. Every batch that is encoded is
// decoded again and compared, and a wrong byte is a failure.
//
//	go run ./tasks bench logs [FILES...]
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"

	"github.com/vigil-agent/vigil/test/loggen"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintf(os.Stderr, "bench logs: %v; see go run ./tasks bench logs -h\n", err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench logs:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("wrong arguments")

// options are the command line.
type options struct {
	files   []string
	lines   int
	seed    uint64
	batches []int
	methods []method
	xz      bool
	json    bool
	svg     string
	profile string
}

func parse(args []string) (options, error) {
	var o options
	var batches, chosen string
	all := names()
	flags := flag.NewFlagSet("bench logs", flag.ContinueOnError)
	flags.IntVar(&o.lines, "lines", 0, "first `N` lines of each file (default: all), or of each generated corpus (default: 20000)")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of generated corpora, and of the times of lines of files")
	flags.StringVar(&batches, "batches", "20,200,1000", "lines in a batch")
	flags.StringVar(&chosen, "methods", strings.Join(all, ","), "which to measure")
	flags.BoolVar(&o.json, "json", false, "print one JSON object for each measurement instead of tables")
	flags.StringVar(&o.svg, "svg", "", "also write plots of bytes by batch size to `FILE`")
	flags.StringVar(&o.profile, "profile", "", "write a CPU profile of everything measured to `FILE`, for go tool pprof")
	flags.Usage = func() { usage(flags) }
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, err
		}
		return o, fmt.Errorf("%w: %w", errUsage, err)
	}
	o.files = flags.Args()
	if o.lines < 0 {
		return o, fmt.Errorf("%w: -lines %d: use a positive number", errUsage, o.lines)
	}
	for text := range strings.SplitSeq(batches, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n <= 0 {
			return o, fmt.Errorf("%w: -batches %q: use positive numbers with commas between them", errUsage, batches)
		}
		o.batches = append(o.batches, n)
	}
	for name := range strings.SplitSeq(chosen, ",") {
		i := slices.Index(all, name)
		switch {
		case i < 0:
			return o, fmt.Errorf("%w: -methods: no %q; there are %s", errUsage, name, strings.Join(all, ", "))
		case name == xzMethod:
			o.xz = true
		default:
			o.methods = append(o.methods, methods()[i])
		}
	}
	return o, nil
}

func usage(flags *flag.FlagSet) {
	fmt.Fprint(flags.Output(), `usage: go run ./tasks bench logs [FLAGS] [FILES...]

Measures bytes, CPU time and state of log encodings, for each file and for all of
them line by line in turn through one stream. Without files it makes its own
corpora, of which it knows the floor: the bytes that were drawn at random.
Time (a few milliseconds apart), status and a tag set travel with every line, but
for the methods marked "text alone". CPU time is the process's on one core, the
garbage collector included; decoding includes comparing. State is what a receiver
keeps between batches, windows included.

Methods:
`)
	for _, m := range methods() {
		note := ""
		if !m.metadata {
			note = " (text alone)"
		}
		fmt.Fprintf(flags.Output(), "  %-12s %s%s\n", m.name, m.what, note)
	}
	fmt.Fprintf(flags.Output(), "  %-12s the whole file at once (text alone)\n\nFlags:\n", xzMethod)
	flags.PrintDefaults()
	fmt.Fprint(flags.Output(), `
Examples:
  go run ./tasks bench logs
  go run ./tasks bench logs -svg bytes.svg /var/log/nginx/access.log /var/log/syslog
  go run ./tasks bench logs -methods columns -batches 200 -profile cpu.out app.log
  go run ./tasks bench logs -json -lines 20000 *.log | jq .bytes
`)
}

func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	corpora, err := load(o)
	if err != nil {
		return err
	}
	// One core: what other goroutines do counts as what it costs.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if o.profile != "" {
		file, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return fmt.Errorf("start the profile: %w", err)
		}
		defer func() {
			pprof.StopCPUProfile()
			err = errors.Join(err, file.Close())
		}()
	}
	out := json.NewEncoder(stdout)
	var results []result
	for _, c := range corpora {
		some, notes, err := measureCorpus(ctx, c, o)
		if err != nil {
			return err
		}
		results = append(results, some...)
		if !o.json {
			printCorpus(stdout, c, some, notes)
			continue
		}
		for _, r := range some {
			if err := out.Encode(r); err != nil {
				return err
			}
		}
	}
	if !o.json {
		printSummary(stdout, results)
	}
	if o.svg != "" {
		if err := os.WriteFile(o.svg, plot(results), 0o644); err != nil {
			return fmt.Errorf("write the plots: %w", err)
		}
	}
	return nil
}

// load makes the corpora, and one of all of them when there are several.
func load(o options) ([]*corpus, error) {
	var all []*corpus
	for _, path := range o.files {
		c, err := readCorpus(path, o.lines, o.seed)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(o.files) == 0 {
		for _, kind := range loggen.Kinds() {
			progress("generating " + kind)
			c, err := makeCorpus(kind, cmp.Or(o.lines, 20_000), o.seed)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
		progress("")
	}
	if len(all) > 1 {
		all = append(all, interleave(all))
	}
	return all, nil
}

// measureCorpus is a corpus's part of the table; notes say what is missing in it.
func measureCorpus(ctx context.Context, c *corpus, o options) (results []result, notes []string, err error) {
	defer progress("")
	for _, batch := range o.batches {
		for _, m := range o.methods {
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			progress(fmt.Sprintf("%s: %s, %d lines a batch", c.name, m.name, batch))
			r, err := measure(c, m, batch)
			if err != nil {
				return nil, nil, fmt.Errorf("%s, %s at %d lines a batch: %w", c.name, m.name, batch, err)
			}
			results = append(results, r)
		}
	}
	if !o.xz {
		return results, nil, nil
	}
	progress(c.name + ": " + xzMethod)
	r, err := measureXZ(ctx, c)
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case err != nil:
		return results, []string{xzMethod + ": " + err.Error()}, nil
	}
	return append(results, r), nil, nil
}
