// Command idle measures what the agent costs when it has nothing to do: every
// engine on, a log file that nobody writes, a probe that nobody hits.
//
//	go run ./tasks bench idle [-seconds 30] [-starts 5]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/test/harness"
)

func main() {
	seconds := flag.Int("seconds", 30, "how long the idle agent is watched")
	starts := flag.Int("starts", 5, "how many starts the start-to-ready median is of")
	flag.Parse()
	if err := run(context.Background(), time.Duration(*seconds)*time.Second, *starts); err != nil {
		fmt.Fprintln(os.Stderr, "bench idle:", err)
		os.Exit(1)
	}
}

// aims are what an idle agent may cost.
const (
	aimRSS    = "≤ 30 MB"
	aimCPU    = "≤ 0.1 % of a core"
	aimBinary = "≤ 25 MB"
	aimReady  = "≤ 100 ms"
)

const mb = 1 << 20

func run(ctx context.Context, length time.Duration, starts int) (err error) {
	dir, err := os.MkdirTemp("", "vigil-idle-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	agent, shop := filepath.Join(dir, "vigil"), filepath.Join(dir, "shop")
	if err := errors.Join(
		harness.Build(ctx, harness.Agent, agent, "-ldflags=-s -w"),
		harness.Build(ctx, harness.Shop, shop),
	); err != nil {
		return err
	}
	// One order every two hours: the service is as idle as the agent.
	service, err := harness.Start(harness.Options{Path: shop, Args: []string{"-log", filepath.Join(dir, "shop.log"), "-rate", "0.0001"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, service.Stop(5*time.Second)) }()
	if err := configure(dir, service.PID()); err != nil {
		return err
	}

	var ready []time.Duration
	var rss, cpu float64
	for i := range starts {
		begin := time.Now()
		p, err := harness.Start(harness.Options{Path: agent, Args: []string{"run", "--config", filepath.Join(dir, "vigil.yaml")}, Stderr: filepath.Join(dir, "agent.log")})
		if err != nil {
			return err
		}
		err = waitReady(ctx, filepath.Join(dir, "vigil.sock"))
		ready = append(ready, time.Since(begin))
		if err == nil && i == starts-1 {
			rss, cpu, err = watch(p.PID(), length)
		}
		if err := errors.Join(err, p.Stop(15*time.Second)); err != nil {
			log, _ := os.ReadFile(filepath.Join(dir, "agent.log"))
			return fmt.Errorf("%w\n%s", err, log)
		}
	}
	info, err := os.Stat(agent)
	if err != nil {
		return err
	}
	slices.Sort(ready)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "idle, every engine on\tmeasured\taim\n")
	fmt.Fprintf(table, "RSS after %s\t%.1f MB\t%s\n", length, rss/mb, aimRSS)
	fmt.Fprintf(table, "CPU over %s\t%.3f %% of a core\t%s\n", length, 100*cpu, aimCPU)
	fmt.Fprintf(table, "binary, stripped\t%.1f MB\t%s\n", float64(info.Size())/mb, aimBinary)
	fmt.Fprintf(table, "start to ready, median of %d\t%s\t%s\n", starts, ready[len(ready)/2].Round(time.Millisecond), aimReady)
	return table.Flush()
}

func configure(dir string, pid int) error {
	ports, err := harness.FreePorts(2)
	if err != nil {
		return err
	}
	yaml := strings.NewReplacer("DIR", dir, "HOOKS", ports[0], "INTAKE", ports[1], "PID", strconv.Itoa(pid)).Replace(`run_path: DIR/state
api: {socket: DIR/vigil.sock}
metrics: {statsd_address: "127.0.0.1:8125"}
serverless: {enabled: true, lifecycle_address: "HOOKS"}
logs:
  enabled: true
  sources: [{type: file, path: DIR/shop.log, start_at: beginning}]
intake: {enabled: true, listen: "INTAKE", journal: DIR/journal.ndjson}
debugger:
  enabled: true
  targets: [{pid: PID}]
  probes: [{id: idle, version: 1, type: LOG_PROBE, language: go, captureSnapshot: true, where: {methodName: "main.(*shop).getStock"}}]
  output: {type: file, path: DIR/snapshots.ndjson}
`)
	return os.WriteFile(filepath.Join(dir, "vigil.yaml"), []byte(yaml), 0o600)
}

// waitReady returns when every engine does its job.
func waitReady(ctx context.Context, socket string) error {
	client := api.NewClient(socket)
	var last error
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		var body []byte
		if body, last = client.Get(ctx, "/ready"); last == nil {
			return nil
		}
		if len(body) > 0 {
			last = fmt.Errorf("%w: %s", last, body)
		}
	}
	return fmt.Errorf("the agent is not ready: %w", last)
}

// watch lets the process idle and returns its resident bytes at the end and the
// share of one core it used meanwhile. The first seconds, in which caches of
// the start are given back, are not counted.
func watch(pid int, length time.Duration) (rss, cpu float64, err error) {
	time.Sleep(5 * time.Second)
	before, err := cpuSeconds(pid)
	if err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	time.Sleep(length)
	after, err := cpuSeconds(pid)
	if err != nil {
		return 0, 0, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			if _, err := fmt.Sscanf(rest, "%f kB", &rss); err != nil {
				return 0, 0, fmt.Errorf("read VmRSS: %w", err)
			}
			return rss * 1024, (after - before) / time.Since(begin).Seconds(), nil
		}
	}
	return 0, 0, errors.New("no VmRSS in the process's status")
}

// cpuSeconds is what the process has used so far: the run time of all its
// threads in schedstat, which counts nanoseconds where stat counts ticks.
func cpuSeconds(pid int) (float64, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return 0, err
	}
	total := 0.0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if os.IsNotExist(err) {
			continue // the thread has just ended
		}
		if err != nil {
			return 0, err
		}
		fields := strings.Fields(string(text))
		nanoseconds, err := strconv.ParseFloat(fields[0], 64)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", file, err)
		}
		total += nanoseconds / 1e9
	}
	return total, nil
}
