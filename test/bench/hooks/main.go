// Command hooks measures how long the built agent takes to answer the platform's
// lifecycle hooks, and what it costs with the serverless engine alone.
//
//	go run ./tasks bench hooks [-calls 300]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/test/harness"
)

func main() {
	calls := flag.Int("calls", 300, "how often each hook is called; a hanging application gets 3 calls")
	flag.Parse()
	if err := run(context.Background(), *calls); err != nil {
		fmt.Fprintln(os.Stderr, "bench hooks:", err)
		os.Exit(1)
	}
}

const (
	mb     = 1 << 20
	budget = 1500 * time.Millisecond
	// slack is what the answer may take beyond the budget: loopback and a busy
	// machine.
	slack = 250 * time.Millisecond
)

// hooks in an order in which each finds the machine in the phase it is meant for;
// terminate is the end and is measured on its retries.
var hooks = []string{"ready", "validate", "run", "suspend", "resume", "terminate"}

// scenario is one way in which the application takes part.
type scenario struct {
	name  string
	calls int
	app   http.HandlerFunc // nil: the application has no hooks
}

func run(ctx context.Context, calls int) (err error) {
	dir, err := os.MkdirTemp("", "vigil-hooks-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	agent := filepath.Join(dir, "vigil")
	if err := harness.Build(ctx, harness.Agent, agent, "-ldflags=-s -w"); err != nil {
		return err
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, s := range []scenario{
		{"no application hooks", calls, nil},
		{"application answers at once", calls, func(http.ResponseWriter, *http.Request) {}},
		{"application hangs", 3, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	} {
		rss, times, err := measure(ctx, dir, agent, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(table, "%s\tp50\tp99\tmost\tagent's own p50\tp99\taim\n", s.name)
		for _, hook := range hooks {
			t, own := times[hook].call, times[hook].own
			slices.Sort(t)
			slices.Sort(own)
			most, aim := t[len(t)-1], "p99 ≤ 1 ms"
			switch {
			case s.calls != calls:
				aim = fmt.Sprintf("≤ %s", budget)
				if most > budget+slack {
					return fmt.Errorf("%s: %s took %s, beyond its budget of %s", s.name, hook, most, budget)
				}
			case s.app != nil:
				aim = ""
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", hook, round(at(t, 50)), round(at(t, 99)), round(most), round(at(own, 50)), round(at(own, 99)), aim)
		}
		if s.app == nil {
			fmt.Fprintf(table, "RSS, serverless alone\t%.1f MB\t\t\t\t\t≤ 18 MB\n", rss/mb)
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}

// at is the percentile of sorted times.
func at(sorted []time.Duration, percent int) time.Duration { return sorted[len(sorted)*percent/100] }

// timing is what the calls of one hook took: as the caller sees it, with the
// connection of each, and as the agent says that it worked on it.
type timing struct{ call, own []time.Duration }

func round(d time.Duration) time.Duration { return d.Round(time.Microsecond) }

// measure starts an agent of its own for s and returns its resident bytes after
// the start, and the times of each hook.
func measure(ctx context.Context, dir, agent string, s scenario) (rss float64, times map[string]*timing, err error) {
	ports, err := harness.FreePorts(1)
	if err != nil {
		return 0, nil, err
	}
	yaml := fmt.Sprintf("run_path: %[1]s/state\nlog_level: error\napi: {socket: %[1]s/vigil.sock}\nmetrics: {statsd_address: \"127.0.0.1:8125\"}\n"+
		"serverless:\n  enabled: true\n  lifecycle_address: %[2]q\n  hook_budget: %[3]s\n  identity_address: \"127.0.0.1:0\"\n  command: [sh, -c, \"trap 'exit 0' TERM; sleep 3600 & wait\"]\n",
		dir, ports[0], budget)
	if s.app != nil {
		port, stop, err := serve(s.app)
		if err != nil {
			return 0, nil, err
		}
		defer stop()
		yaml += fmt.Sprintf("  user_app_port: %d\n  ready_timeout: 1s\n  validate_timeout: 1s\n"+
			"  forward: {ready: true, validate: true, run: true, resume: true, suspend: true, terminate: true}\n", port)
	}
	file := filepath.Join(dir, "vigil.yaml")
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		return 0, nil, err
	}
	log := filepath.Join(dir, "agent.log")
	p, err := harness.Start(harness.Options{Path: agent, Args: []string{"run", "--config", file}, Stderr: log})
	if err != nil {
		return 0, nil, err
	}
	defer func() {
		if err = errors.Join(err, p.Stop(15*time.Second)); err != nil {
			text, _ := os.ReadFile(log)
			err = fmt.Errorf("%w\n%s", err, text)
		}
	}()
	if err := waitReady(ctx, filepath.Join(dir, "vigil.sock")); err != nil {
		return 0, nil, err
	}
	if s.app == nil {
		time.Sleep(5 * time.Second) // caches of the start are given back
		if rss, err = resident(p.PID()); err != nil {
			return 0, nil, err
		}
	}
	times, err = play(ctx, ports[0], s.calls)
	return rss, times, err
}

// play calls the hooks in the order of a machine's life, calls times each.
func play(ctx context.Context, address string, calls int) (map[string]*timing, error) {
	times := map[string]*timing{}
	for _, hook := range hooks {
		times[hook] = &timing{}
	}
	call := func(hook string) error {
		took, own, err := post(ctx, "http://"+address+"/aws/lambda-microvms/runtime/v1/"+hook)
		t := times[hook]
		t.call, t.own = append(t.call, took), append(t.own, own)
		return err
	}
	for range calls {
		for _, hook := range hooks[:len(hooks)-1] {
			if err := call(hook); err != nil {
				return nil, err
			}
		}
	}
	for range calls {
		if err := call("terminate"); err != nil {
			return nil, err
		}
	}
	return times, nil
}

// client opens a connection for each call, as the platform does.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}

// post returns the time until the answer is complete, whatever its status, and
// what the agent says of it.
func post(ctx context.Context, url string) (took, own time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(`{"microvmId":"mvm-bench"}`))
	if err != nil {
		return 0, 0, err
	}
	begin := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	took = time.Since(begin)
	spent, failure := spent(resp.Header.Get("Vigil-Hook-Spend"))
	return took, spent, errors.Join(err, failure, resp.Body.Close())
}

// spent is the total of the header that says what a hook's time went into.
func spent(header string) (time.Duration, error) {
	_, rest, found := strings.Cut(header, "total;dur=")
	milliseconds, _, _ := strings.Cut(rest, ",")
	if !found {
		return 0, fmt.Errorf("no total in %q", header)
	}
	return time.ParseDuration(milliseconds + "ms")
}

// serve is the application's hook port.
func serve(app http.HandlerFunc) (port int, stop func(), err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, nil, err
	}
	server := &http.Server{Handler: app, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // it ends when stop closes it
	}()
	return listener.Addr().(*net.TCPAddr).Port, func() {
		_ = server.Close()
		<-done
	}, nil
}

// waitReady returns when the engine does its job.
func waitReady(ctx context.Context, socket string) (err error) {
	c := api.NewClient(socket)
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, err = c.Get(ctx, "/ready"); err == nil {
			return nil
		}
	}
	return fmt.Errorf("the agent is not ready: %w", err)
}

// resident is the memory of a process, in bytes.
func resident(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		var kb float64
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			_, err := fmt.Sscanf(rest, "%f kB", &kb)
			return kb * 1024, err
		}
	}
	return 0, errors.New("no VmRSS in the process's status")
}
