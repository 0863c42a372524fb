package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/comp/api"
	"github.com/vigil-agent/vigil/test/fakeintake"
	"github.com/vigil-agent/vigil/test/harness"
)

// path is a way from a file to an acknowledgement.
type path struct {
	name string
	// aim is what a line may cost, in µs of CPU; 0 is no aim.
	aim     float64
	measure func(ctx context.Context, b *bench, c corpus) (result, error)
}

var allPaths = []path{
	{name: "json", measure: measurePlain},
	{name: "memory", aim: 1.0, measure: measureAgent("")},
	{name: "spool", aim: 1.3, measure: measureAgent("  spool: {enabled: true, fsync: \"off\"}\n")},
	{name: "fsync", aim: 1.5, measure: measureAgent("  spool: {enabled: true, fsync: batch}\n")},
}

func pathNames() []string {
	var names []string
	for _, p := range allPaths {
		names = append(names, p.name)
	}
	return names
}

func choose(names string) ([]path, error) {
	var chosen []path
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(allPaths, func(p path) bool { return p.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no path %q: use %s", name, strings.Join(pathNames(), ", "))
		}
		chosen = append(chosen, allPaths[i])
	}
	return chosen, nil
}

// bench is what measurements share.
type bench struct {
	agent    string // the program
	dir      string // of this measurement
	profiles string
}

// measureAgent ships with the agent to an intake; logs is added to the section
// of that name.
func measureAgent(logs string) func(context.Context, *bench, corpus) (result, error) {
	return func(ctx context.Context, b *bench, c corpus) (r result, err error) {
		ports, err := harness.FreePorts(1)
		if err != nil {
			return r, err
		}
		receiver, err := harness.Start(harness.Options{
			Path: b.agent, Args: []string{"intake", "--listen", ports[0], "--journal", filepath.Join(b.dir, "journal.ndjson")}, Stderr: filepath.Join(b.dir, "intake.log"),
		})
		if err != nil {
			return r, err
		}
		defer func() { err = errors.Join(err, receiver.Stop(20*time.Second)) }()
		if err := listening(ctx, ports[0]); err != nil {
			return r, err
		}
		proxy, err := fakeintake.NewProxy(ports[0])
		if err != nil {
			return r, err
		}
		defer proxy.Close()

		config := filepath.Join(b.dir, "vigil.yaml")
		yaml := fmt.Sprintf(`run_path: %[1]s/state
api: {socket: %[1]s/vigil.sock}
metrics: {statsd_address: ""}
logs:
  enabled: true
  sources: [{type: file, path: %[2]s, start_at: beginning}]
  endpoint: {address: %[3]q, tls: {insecure: true}}
%[4]s`, b.dir, c.file, proxy.Addr(), logs)
		if err := os.WriteFile(config, []byte(yaml), 0o600); err != nil {
			return r, err
		}
		begin := time.Now()
		agent, err := harness.Start(harness.Options{Path: b.agent, Args: []string{"run", "--config", config}, Stderr: filepath.Join(b.dir, "agent.log")})
		if err != nil {
			return r, err
		}
		defer func() {
			if err = errors.Join(err, agent.Stop(20*time.Second)); err != nil {
				log, _ := os.ReadFile(filepath.Join(b.dir, "agent.log"))
				err = fmt.Errorf("%w\n%s", err, log)
			}
		}()
		client := api.NewClient(filepath.Join(b.dir, "vigil.sock"))
		profiled := b.profile(ctx, client, c)
		if err := acknowledged(ctx, client, c.lines); err != nil {
			return r, err
		}
		r, err = measured(agent, begin, c, proxy)
		return r, errors.Join(err, <-profiled)
	}
}

// listening waits until something listens at an address.
func listening(ctx context.Context, address string) error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

// acknowledged waits until the agent says that so many lines are. It asks seldom
// enough that the asking does not show.
func acknowledged(ctx context.Context, client *api.Client, lines int) error {
	const stalls = time.Minute
	var status struct {
		Sections struct {
			Logs struct {
				Stream struct {
					AckedLines int    `json:"acked_lines"`
					LastError  string `json:"last_error"`
				} `json:"stream"`
			} `json:"logs"`
		} `json:"sections"`
	}
	stream := &status.Sections.Logs.Stream
	seen, progress := 0, time.Now()
	for {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
		if body, err := client.Get(ctx, "/v1/status"); err == nil {
			if err := json.Unmarshal(body, &status); err != nil {
				return fmt.Errorf("read the agent's status: %w", err)
			}
		}
		switch {
		case stream.AckedLines > lines:
			return fmt.Errorf("the agent says that %d lines are acknowledged, and there are %d", stream.AckedLines, lines)
		case stream.AckedLines == lines:
			return nil
		case stream.AckedLines > seen:
			seen, progress = stream.AckedLines, time.Now()
		case time.Since(progress) > stalls:
			return fmt.Errorf("%d of %d lines are acknowledged and nothing happens: %s", seen, lines, stream.LastError)
		}
	}
}

// measured is what a sender that has just ended its work has cost.
func measured(sender *harness.Process, begin time.Time, c corpus, proxy *fakeintake.Proxy) (result, error) {
	took := time.Since(begin)
	usage, err := sender.Usage()
	if err != nil {
		return result{}, err
	}
	return result{
		Lines: c.lines, Raw: c.bytes,
		CPU: float64(usage.CPU.Microseconds()) / float64(c.lines), Rate: float64(c.lines) / took.Seconds(),
		Peak: usage.Peak, Up: proxy.Bytes(fakeintake.Up), Down: proxy.Bytes(fakeintake.Down),
	}, nil
}

// profile writes a CPU profile of the first seconds, if that is asked for.
func (b *bench) profile(ctx context.Context, client *api.Client, c corpus) <-chan error {
	done := make(chan error, 1)
	if b.profiles == "" {
		close(done)
		return done
	}
	file, err := filepath.Abs(filepath.Join(b.profiles, c.name+"-"+filepath.Base(b.dir)+".pprof"))
	if err != nil {
		done <- err
		return done
	}
	go func() { // owned by the receiver of done
		var body []byte
		var err error
		for range 200 {
			if body, err = client.Get(ctx, "/debug/pprof/profile?seconds=1"); !errors.Is(err, api.ErrNotRunning) {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if err == nil {
			err = os.WriteFile(file, body, 0o600)
		}
		done <- err
	}()
	return done
}

// measurePlain ships with the plain sender, to a sink in this process.
func measurePlain(ctx context.Context, b *bench, c corpus) (r result, err error) {
	s := &sink{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return r, err
	}
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		err = errors.Join(err, server.Close())
		if serving := <-served; !errors.Is(serving, http.ErrServerClosed) {
			err = errors.Join(err, serving)
		}
	}()
	proxy, err := fakeintake.NewProxy(listener.Addr().String())
	if err != nil {
		return r, err
	}
	defer proxy.Close()
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	begin := time.Now()
	sender, err := harness.Start(harness.Options{Path: self, Args: []string{plainVerb, c.file, "http://" + proxy.Addr() + "/api/v2/logs"}, Stderr: filepath.Join(b.dir, "plain.log")})
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, sender.Stop(20*time.Second)) }()
	for s.lines.Load() < int64(c.lines) {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-sender.Ended():
			log, _ := os.ReadFile(filepath.Join(b.dir, "plain.log"))
			return r, fmt.Errorf("the plain sender ended early\n%s", log)
		case <-ctx.Done():
			return r, ctx.Err()
		}
	}
	return measured(sender, begin, c, proxy)
}
