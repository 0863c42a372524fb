package debugger_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger"
)

// startEngine runs an engine until the end of the test and returns the file it
// writes to.
func startEngine(t *testing.T, change func(*debugger.Config)) (e *debugger.Engine, output string) {
	t.Helper()
	output = filepath.Join(t.TempDir(), "snapshots.ndjson")
	c := debugger.DefaultConfig()
	c.Enabled = true
	c.Output = debugger.OutputConfig{Type: debugger.OutputFile, Path: output}
	change(&c)
	e, err := debugger.New(c, debugger.Deps{Log: slog.New(slog.DiscardHandler), Stdout: io.Discard, Hostname: "testhost"})
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context()))
	t.Cleanup(func() { stop(t, e) })
	return e, output
}

func stop(t *testing.T, e *debugger.Engine) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), wait)
	defer cancel()
	require.NoError(t, e.Stop(ctx))
}

// become waits until the first probe's status is as wanted.
func become(t *testing.T, e *debugger.Engine, what string, want func(debugger.ProbeStatus) bool) debugger.ProbeStatus {
	t.Helper()
	var p debugger.ProbeStatus
	require.Eventually(t, func() bool {
		p = e.Status().Probes[0]
		return want(p)
	}, wait, tick, what)
	return p
}

func inState(s debugger.State, targets int) func(debugger.ProbeStatus) bool {
	return func(p debugger.ProbeStatus) bool { return p.State == s && len(p.Targets) == targets }
}

// snapshots reads the file the engine wrote.
func snapshots(t *testing.T, path string) []string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var out []string
	for line := range bytes.Lines(data) {
		require.True(t, json.Valid(line), string(line))
		out = append(out, string(line))
	}
	return out
}

// TestEngine follows one probe through its life: no process, one, two, one of
// them gone, all gone, back again.
func TestEngine(t *testing.T) {
	needKernel(t)
	t.Parallel()
	exe := copyShop(t, "life")
	e, output := startEngine(t, func(c *debugger.Config) {
		c.Probes = []debugger.ProbeSource{inline(handleProbe)}
		c.Targets = []debugger.TargetConfig{{Exe: exe, Service: "tea"}}
	})
	p := e.Status().Probes[0]
	require.Equal(t, debugger.ProbeStatus{
		ID: "handle", Version: 3, Function: "main.handle", Origin: "vigil.yaml:12:5", State: debugger.StateReceived,
		Message: "no process to place it in", Next: "start the service, or correct debugger.targets", Targets: []debugger.TargetStatus{},
	}, p)

	first := startShop(t, exe)
	p = become(t, e, "installed", inState(debugger.StateInstalled, 1))
	require.Equal(t, first.pid, p.Targets[0].PID)
	require.Equal(t, exe, p.Targets[0].Exe)
	require.Equal(t, "tea", p.Targets[0].Service)
	require.Equal(t, "main.handle", p.Targets[0].Function)
	require.Len(t, p.Targets[0].Sites, 1)
	require.Regexp(t, "^0x[0-9a-f]+$", p.Targets[0].Sites[0].PC)
	require.Contains(t, []string{"push", "emulated", "stepped"}, p.Targets[0].Sites[0].Anchor)
	require.NotEmpty(t, e.Status().Kernel)

	first.call(t, "order", 1)
	become(t, e, "emitting", inState(debugger.StateEmitting, 1))

	second := startShop(t, exe)
	become(t, e, "placed in the second", inState(debugger.StateEmitting, 2))
	second.call(t, "order", 2)
	become(t, e, "two snapshots", func(p debugger.ProbeStatus) bool { return p.Snapshots == 2 })

	first.end(t)
	p = become(t, e, "the first gone", inState(debugger.StateEmitting, 1))
	require.Equal(t, second.pid, p.Targets[0].PID)
	second.end(t)
	p = become(t, e, "all gone", inState(debugger.StateReceived, 0))
	require.EqualValues(t, 2, p.Hits, "the counters outlive the processes")

	third := startShop(t, exe)
	become(t, e, "back again", inState(debugger.StateInstalled, 1))
	third.call(t, "order", 3)
	stop(t, e) // writes what was taken
	p = e.Status().Probes[0]
	require.EqualValues(t, 3, p.Snapshots)
	require.EqualValues(t, 3, e.Status().Output.Lines)
	third.call(t, "crowd", 1000) // and is unharmed

	lines := snapshots(t, output)
	require.Len(t, lines, 3)
	for i, line := range lines {
		require.Contains(t, line, `"service":"tea"`)
		require.Contains(t, line, `"process_tags":"pid:`)
		require.Contains(t, line, `,entrypoint.name:life,host.name:testhost"`)
		require.Contains(t, line, `"ID":{"type":"int64","value":"`+string(rune('1'+i))+`"}`)
		require.Contains(t, line, `"probe":{"id":"handle",`)
		require.Contains(t, line, `"version":3`)
	}
}

// copyShop copies the shop to a path of the test's own.
func copyShop(t *testing.T, name string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), name)
	// Not written by this process: a child that is started at the same time
	// would hold the file open for writing until it executes.
	require.NoError(t, exec.Command("cp", buildShop(t, "plain"), exe).Run())
	return exe
}

// TestEngineSameProgramAgain: a position-independent program that executes
// itself, as some do to take over a new configuration, is somewhere else in
// memory: the stacks must be named by where it is now.
func TestEngineSameProgramAgain(t *testing.T) {
	needKernel(t)
	t.Parallel()
	exe := filepath.Join(t.TempDir(), "again")
	require.NoError(t, exec.Command("cp", buildShop(t, "pie", "-buildmode=pie"), exe).Run())
	s := startShop(t, exe)
	e, output := startEngine(t, func(c *debugger.Config) {
		c.Probes = []debugger.ProbeSource{inline(handleProbe)}
		c.Targets = []debugger.TargetConfig{{Exe: exe}}
	})
	become(t, e, "installed", inState(debugger.StateInstalled, 1))
	s.call(t, "order", 1)
	become(t, e, "emitting", inState(debugger.StateEmitting, 1))

	s.call(t, "exec", 0)
	require.True(t, s.out.Scan())
	require.Equal(t, "ready", s.out.Text())
	become(t, e, "placed again", inState(debugger.StateInstalled, 1))
	s.call(t, "order", 2)
	become(t, e, "emitting again", inState(debugger.StateEmitting, 1))
	stop(t, e)
	lines := snapshots(t, output)
	require.Len(t, lines, 2)
	for i, line := range lines {
		require.Contains(t, line, `"ID":{"type":"int64","value":"`+string(rune('1'+i))+`"}`)
		require.Contains(t, line, `"stack":[{"function":"main.handle",`)
	}
}

// TestEngineOneProbeFails shows that a definition which does not resolve is a
// status, and the others work.
func TestEngineOneProbeFails(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, buildShop(t, "plain"))
	files := t.TempDir()
	good := filepath.Join(files, "good.json")
	require.NoError(t, os.WriteFile(good, []byte(`[
  {"id": "from-file", "where": {"methodName": "main.handle"}, "captureSnapshot": true},
  {"id": "line", "where": {"methodName": "main.handle", "lines": ["3", "4"], "signature": "(int)"}, "captureSnapshot": true},
  {"id": "misspelt", "where": {"methodName": "main.handle"}, "captureSnapshot": true}
]`), 0o600))
	e, output := startEngine(t, func(c *debugger.Config) {
		c.Probes = []debugger.ProbeSource{inline(strings.NewReplacer(`"handle"`, `"misspelt"`, "main.handle", "main.handel").Replace(handleProbe))}
		c.ProbeFiles = []string{good, filepath.Join(files, "absent.json")}
		c.Targets = []debugger.TargetConfig{{PID: s.pid}}
	})
	p := become(t, e, "failed", inState(debugger.StateError, 1))
	require.Equal(t, `no function "main.handel" in the binary: did you mean main.handle?`, p.Message)
	require.Equal(t, "correct the definition, or rebuild the program as the message says", p.Next)
	require.Equal(t, p.Message, p.Targets[0].Message)

	all := e.Status().Probes
	require.Len(t, all, 5)
	require.Equal(t, debugger.StateInstalled, all[1].State)
	require.Equal(t, good+":2:3", all[1].Origin)
	for i, want := range []struct{ id, message, next string }{
		{
			"line",
			good + `:3:66: probe "line": where.lines: holds 2 lines; a probe is on one: write a definition for each` + "\n" +
				good + `:3:78: probe "line": where.signature: overload signatures are not supported by this version; remove the key`,
			"correct the file and restart",
		},
		{"misspelt", "id: is already used by the probe at vigil.yaml:12:5", "give one of them another id"},
		{"", "read the probe file: open " + files + "/absent.json: no such file or directory", "correct debugger.probe_files, or create the file"},
	} {
		got := all[2+i]
		require.Equal(t, want.id, got.ID)
		require.Equal(t, want.message, got.Message)
		require.Equal(t, want.next, got.Next)
		require.Equal(t, debugger.StateError, got.State)
	}
	s.call(t, "order", 5)
	require.Eventually(t, func() bool { return e.Status().Probes[1].State == debugger.StateEmitting }, wait, tick)
	stop(t, e)
	require.Len(t, snapshots(t, output), 1)
}

// TestEngineNotGo asks for a process that cannot be probed: by number it is
// told so, by pattern it is passed over.
func TestEngineNotGo(t *testing.T) {
	needKernel(t)
	t.Parallel()
	sleep := exec.Command("sleep", "600")
	require.NoError(t, sleep.Start())
	t.Cleanup(func() {
		_ = sleep.Process.Kill()
		_ = sleep.Wait()
	})
	e, _ := startEngine(t, func(c *debugger.Config) {
		c.Probes = []debugger.ProbeSource{inline(handleProbe)}
		c.Targets = []debugger.TargetConfig{{PID: sleep.Process.Pid}}
	})
	p := become(t, e, "refused", inState(debugger.StateError, 1))
	require.Contains(t, p.Message, "not a Go program")

	shop := startShop(t, copyShop(t, "sleep-less"))
	byPattern, _ := startEngine(t, func(c *debugger.Config) {
		c.Probes = []debugger.ProbeSource{inline(handleProbe)}
		c.Targets = []debugger.TargetConfig{{Exe: "sleep*"}}
	})
	p = become(t, byPattern, "installed", inState(debugger.StateInstalled, 1))
	require.Equal(t, shop.pid, p.Targets[0].PID)
	require.Empty(t, p.Message)
}

// TestEngineThrottle shows that the rate holds and every hit is accounted for.
func TestEngineThrottle(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, buildShop(t, "plain"))
	e, output := startEngine(t, func(c *debugger.Config) {
		c.Probes = []debugger.ProbeSource{inline(strings.Replace(handleProbe, `"snapshotsPerSecond":50`, `"snapshotsPerSecond":1`, 1))}
		c.Targets = []debugger.TargetConfig{{PID: s.pid}}
	})
	become(t, e, "installed", inState(debugger.StateInstalled, 1))
	s.call(t, "crowd", 4000)
	stop(t, e)
	p := e.Status().Probes[0]
	require.EqualValues(t, 4000, p.Hits)
	require.EqualValues(t, 4000, p.Snapshots+p.Throttled+p.Dropped)
	require.Positive(t, p.Snapshots)
	require.Less(t, p.Snapshots, uint64(20), "one a second")
	require.Len(t, snapshots(t, output), int(p.Snapshots))
}

// TestEngineStdout writes to a writer instead of a file.
func TestEngineStdout(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, buildShop(t, "plain"), "DD_SERVICE=by-environment")
	var out bytes.Buffer
	c := debugger.DefaultConfig()
	c.Probes = []debugger.ProbeSource{inline(handleProbe)}
	c.Targets = []debugger.TargetConfig{{Service: "by-environment"}}
	e, err := debugger.New(c, debugger.Deps{Log: slog.New(slog.DiscardHandler), Stdout: &out})
	require.NoError(t, err)
	require.NoError(t, e.Start(t.Context()))
	require.NoError(t, e.Start(t.Context()), "starting again does nothing")
	become(t, e, "installed", inState(debugger.StateInstalled, 1))
	s.call(t, "order", 1)
	stop(t, e)
	stop(t, e)
	require.Error(t, e.Start(t.Context()))
	require.Equal(t, 1, strings.Count(out.String(), "\n"))
	require.Contains(t, out.String(), `"service":"by-environment"`)
}

func TestEngineStopWithoutStart(t *testing.T) {
	t.Parallel()
	c := debugger.DefaultConfig()
	c.Probes = []debugger.ProbeSource{inline(handleProbe)}
	c.Targets = []debugger.TargetConfig{{PID: 1}}
	e, err := debugger.New(c, debugger.Deps{Log: slog.New(slog.DiscardHandler), Stdout: io.Discard})
	require.NoError(t, err)
	require.Equal(t, debugger.StateReceived, e.Status().Probes[0].State)
	stop(t, e)
	text, err := json.Marshal(e.Status())
	require.NoError(t, err)
	require.Equal(t, `{"probes":[{"id":"handle","version":3,"function":"main.handle","origin":"vigil.yaml:12:5","state":"RECEIVED",`+
		`"message":"no process to place it in","next":"start the service, or correct debugger.targets","targets":[],`+
		`"types_pending":0,"hits":0,"snapshots":0,"bytes":0,"throttled":0,"dropped":0,"incomplete":0,"faults":0,"busy_ns":0,"returns":0,"unmatched":0,`+
		`"paired":0,"unwound":0,"evicted":0,"overdue":0,"ended":0,"alone":0,"replans":0,"types_refused":0}],"output":{"lines":0,"bytes":0,"dropped":0,"lost":0}}`, string(text))
}

// TestEngineOutputCannotBeOpened leaves nothing running.
func TestEngineOutputCannotBeOpened(t *testing.T) {
	needKernel(t)
	t.Parallel()
	c := debugger.DefaultConfig()
	c.Output = debugger.OutputConfig{Type: debugger.OutputFile, Path: filepath.Join(t.TempDir(), "no", "such", "file")}
	e, err := debugger.New(c, debugger.Deps{Log: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	require.ErrorIs(t, e.Start(t.Context()), os.ErrNotExist)
	stop(t, e)
}
