package golden

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger"
)

// patience is for a machine that does much else.
const patience = 120 * time.Second

// tick is between two looks at the status, which asks the kernel about each
// probe.
const tick = 100 * time.Millisecond

// function is one of the sample's.
type function struct{ subject, name string }

// program is the running sample.
type program struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Scanner
}

func start(t *testing.T, path string) *program {
	t.Helper()
	p := &program{cmd: exec.CommandContext(t.Context(), path)}
	p.cmd.Stderr = os.Stderr
	var err error
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	p.out = bufio.NewScanner(stdout)
	require.Equal(t, "ready", p.line(t))
	return p
}

func (p *program) line(t *testing.T) string {
	t.Helper()
	require.True(t, p.out.Scan(), "the sample ended")
	return p.out.Text()
}

func (p *program) say(t *testing.T, command string) {
	t.Helper()
	_, err := fmt.Fprintln(p.stdin, command)
	require.NoError(t, err)
}

func (p *program) list(t *testing.T) []function {
	t.Helper()
	p.say(t, "list")
	var all []function
	for {
		line := p.line(t)
		if line == "end" {
			return all
		}
		subject, name, _ := strings.Cut(line, " ")
		all = append(all, function{subject, name})
	}
}

// end lets the sample end by itself: it was not harmed.
func (p *program) end(t *testing.T) {
	t.Helper()
	require.NoError(t, p.stdin.Close())
	require.NoError(t, p.cmd.Wait())
}

// capture places a probe on every function of the sample, calls each, and
// returns the snapshots and the notes by function.
func capture(t *testing.T, path string) (functions []function, snapshots map[string][]json.RawMessage, notes map[string][]string) {
	t.Helper()
	p := start(t, path)
	functions = p.list(t)
	config := debugger.DefaultConfig()
	config.Enabled = true
	config.Targets = []debugger.TargetConfig{{PID: p.cmd.Process.Pid, Service: "values"}}
	for _, f := range functions {
		definition, err := json.Marshal(map[string]any{
			"id": f.name, "version": 1, "type": "LOG_PROBE", "language": "go",
			"where": map[string]any{"methodName": f.name}, "captureSnapshot": true, "evaluateAt": "EXIT",
			"sampling": map[string]any{"snapshotsPerSecond": 1000},
		})
		require.NoError(t, err)
		config.Probes = append(config.Probes, debugger.ProbeSource{JSON: definition, Where: f.name})
	}
	var output bytes.Buffer // the engine's until it has stopped
	engine, err := debugger.New(config, debugger.Deps{Stdout: &output})
	require.NoError(t, err)
	err = engine.Start(t.Context())
	if errors.Is(err, debugger.ErrNotSupported) && os.Getenv("VIGIL_REQUIRE_BPF") != "1" {
		p.end(t)
		t.Skip(err)
	}
	require.NoError(t, err)
	var status debugger.Status
	require.Eventually(t, func() bool {
		status = engine.Status()
		for _, probe := range status.Probes {
			if probe.State == debugger.StateReceived {
				return false
			}
		}
		return true
	}, patience, tick, "the probes are not placed")
	before := passes(t, engine, p, functions)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	require.NoError(t, engine.Stop(ctx))
	p.end(t)

	notes = map[string][]string{}
	for _, probe := range engine.Status().Probes {
		require.Zero(t, probe.Dropped, probe.ID)
		require.Zero(t, probe.Throttled, probe.ID)
	}
	for _, probe := range status.Probes {
		if probe.State == debugger.StateError {
			notes[probe.ID] = []string{probe.Message}
			continue
		}
		notes[probe.ID] = probe.Targets[0].Notes
	}
	snapshots = map[string][]json.RawMessage{}
	for line := range bytes.Lines(output.Bytes()) {
		var envelope struct {
			Debugger struct {
				Snapshot struct {
					Probe struct{ ID string } `json:"probe"`
				} `json:"snapshot"`
			} `json:"debugger"`
		}
		require.NoError(t, json.Unmarshal(line, &envelope), string(line))
		id := envelope.Debugger.Snapshot.Probe.ID
		snapshots[id] = append(snapshots[id], bytes.Clone(line))
	}
	for id := range snapshots {
		snapshots[id] = snapshots[id][before[id].Snapshots:]
	}
	return functions, snapshots, notes
}

// passes calls every function, again and again until the engine has learnt of
// all types that were met in interfaces, and returns the counters before the last
// pass.
func passes(t *testing.T, engine *debugger.Engine, p *program, functions []function) map[string]debugger.Counters {
	t.Helper()
	for {
		before := settled(t, engine)
		for _, f := range functions {
			p.say(t, "call "+f.name)
			require.Equal(t, "called "+f.name, p.line(t))
		}
		after := settled(t, engine)
		same := true
		for id, c := range after {
			same = same && c.Replans == before[id].Replans
		}
		if same {
			return before
		}
	}
}

// settled waits until every call is a snapshot and no type waits to be learnt,
// and returns the counters.
func settled(t *testing.T, engine *debugger.Engine) map[string]debugger.Counters {
	t.Helper()
	var counters map[string]debugger.Counters
	require.Eventually(t, func() bool {
		counters = map[string]debugger.Counters{}
		for _, probe := range engine.Status().Probes {
			if probe.TypesPending > 0 || probe.Snapshots < probe.Hits {
				return false
			}
			counters[probe.ID] = probe.Counters
		}
		return true
	}, patience, tick, "calls are without a snapshot, or types wait to be learnt")
	return counters
}
