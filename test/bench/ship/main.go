// Command ship measures what a line costs from its file to its
// acknowledgement: the built agent and a built intake, each a process of its
// own, with the bytes between them counted, beside a plain sender of JSON.
//
//	go run ./tasks bench ship [-lines 1000000] [-paths json,memory,spool,fsync] [-json] [FILE...]
//
// The plain sender tails the file, puts 1000 lines into an HTTP v2 body, and
// posts it compressed with zstd-1 to a sink that reads and answers: no state, no
// offsets, no retries. CPU is user and system time of the sender's process alone,
// from its start to the last acknowledgement; so is the time for lines/s. Peak is
// the most resident memory. Bytes are those of both directions on the wire.
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/vigil-agent/vigil/test/harness"
	"github.com/vigil-agent/vigil/test/loggen"
)

// options are the flags.
type options struct {
	lines   int
	runs    int
	kinds   string
	paths   string
	json    bool
	profile string
	agent   string
	files   []string
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == plainVerb {
		if err := plainSender(os.Args[2], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, "plain sender:", err)
			os.Exit(1)
		}
		return
	}
	var o options
	flag.IntVar(&o.lines, "lines", 1_000_000, "lines of each generated corpus")
	flag.IntVar(&o.runs, "runs", 1, "runs of each path, in turn; the one with the median CPU is shown")
	flag.StringVar(&o.kinds, "kinds", "blocks,json", "kinds of generated logs, unless files are given: "+strings.Join(loggen.Kinds(), ", "))
	flag.StringVar(&o.paths, "paths", strings.Join(pathNames(), ","), "paths to measure")
	flag.BoolVar(&o.json, "json", false, "print JSON, one object a measurement")
	flag.StringVar(&o.profile, "cpuprofile", "", "folder for a CPU profile of each run of the agent")
	flag.StringVar(&o.agent, "agent", "", "a built agent (default: build one)")
	flag.Parse()
	o.files = flag.Args()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench ship:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	paths, err := choose(o.paths)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "vigil-ship-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b := &bench{agent: o.agent, profiles: o.profile}
	if b.agent == "" {
		b.agent = filepath.Join(dir, "vigil")
		if err := harness.Build(ctx, harness.Agent, b.agent, "-ldflags=-s -w"); err != nil {
			return err
		}
	}
	corpora, err := makeCorpora(dir, o)
	if err != nil {
		return err
	}
	var all []result
	for _, c := range corpora {
		results := make([][]result, len(paths))
		for r := range o.runs {
			for i, p := range paths {
				b.dir = filepath.Join(dir, fmt.Sprintf("%s-%d", p.name, r))
				if err := os.Mkdir(b.dir, 0o700); err != nil {
					return err
				}
				measured, err := p.measure(ctx, b, c)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", c.name, p.name, err)
				}
				if err := os.RemoveAll(b.dir); err != nil {
					return err
				}
				measured.Corpus, measured.Path, measured.aim = c.name, p.name, p.aim
				results[i] = append(results[i], measured)
			}
		}
		for _, r := range results {
			slices.SortFunc(r, func(a, b result) int { return cmp.Compare(a.CPU, b.CPU) })
			all = append(all, r[len(r)/2])
		}
	}
	if o.json {
		return printJSON(os.Stdout, all)
	}
	return printTable(os.Stdout, all)
}

// corpus is a file of lines.
type corpus struct {
	name, file string
	lines      int
	bytes      int64
}

// makeCorpora counts the files that were given, or generates some.
func makeCorpora(dir string, o options) ([]corpus, error) {
	var corpora []corpus
	for _, file := range o.files {
		c := corpus{name: filepath.Base(file)}
		var err error
		if c.file, err = filepath.Abs(file); err == nil {
			c.lines, c.bytes, err = count(c.file)
		}
		if err != nil {
			return nil, err
		}
		corpora = append(corpora, c)
	}
	if corpora != nil {
		return corpora, nil
	}
	for kind := range strings.SplitSeq(o.kinds, ",") {
		g, err := loggen.New(kind, 1)
		if err != nil {
			return nil, err
		}
		c := corpus{name: kind, file: filepath.Join(dir, kind+".log"), lines: o.lines}
		file, err := os.Create(c.file)
		if err != nil {
			return nil, err
		}
		if err := errors.Join(g.Write(file, c.lines), file.Close()); err != nil {
			return nil, err
		}
		// A log may be of several lines; what a shipper sees is lines.
		if c.lines, c.bytes, err = count(c.file); err != nil {
			return nil, err
		}
		corpora = append(corpora, c)
	}
	return corpora, nil
}

// count counts line feeds: a last line without one is not shipped.
func count(path string) (lines int, size int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer file.Close() //nolint:errcheck // only read
	reader, buf := bufio.NewReader(file), make([]byte, 1<<16)
	for {
		n, err := reader.Read(buf)
		lines, size = lines+bytes.Count(buf[:n], []byte{'\n'}), size+int64(n)
		if errors.Is(err, io.EOF) {
			return lines, size, nil
		}
		if err != nil {
			return 0, 0, err
		}
	}
}
