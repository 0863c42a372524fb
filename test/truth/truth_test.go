package truth

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger"
	"github.com/vigil-agent/vigil/debugger/snapshot/schemacheck"
)

const (
	types = 60
	seed  = 42
	// pause keeps the target slower than the snapshots are read, so that none is
	// dropped.
	pause = 300 * time.Microsecond
)

// build makes the target.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	static, err := filepath.Glob("testdata/target/*.go")
	require.NoError(t, err)
	for _, file := range static {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, filepath.Base(file)), text, 0o600))
	}
	text, err := source(seed, types)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "types.go"), text, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module target\n\ngo 1.24\n"), 0o600))
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", "target", ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return filepath.Join(dir, "target")
}

// target is a running one.
type target struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func start(t *testing.T, exe string, args ...string) *target {
	t.Helper()
	p := &target{cmd: exec.CommandContext(t.Context(), exe, args...)}
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	require.NoError(t, err)
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.in, p.out = in, bufio.NewReader(out)
	require.NoError(t, p.cmd.Start())
	require.Empty(t, p.said(t), "it waits")
	return p
}

// call lets the target make calls and returns what it says of each.
func (p *target) call(t *testing.T, count int) map[int]object {
	t.Helper()
	_, err := fmt.Fprintln(p.in, count)
	require.NoError(t, err)
	return p.said(t)
}

// again lets the calls that follow be the first ones once more.
func (p *target) again(t *testing.T) {
	t.Helper()
	_, err := fmt.Fprintln(p.in, "again")
	require.NoError(t, err)
	require.Empty(t, p.said(t))
}

func (p *target) said(t *testing.T) map[int]object {
	t.Helper()
	all := map[int]object{}
	for {
		line, err := p.out.ReadBytes('\n')
		require.NoError(t, err)
		var one struct {
			Seq   int
			Value object
		}
		require.NoError(t, json.Unmarshal(line, &one))
		if one.Seq < 0 {
			return all
		}
		all[one.Seq] = one.Value
	}
}

// watch probes every function of the target with the given limits, lets it make
// calls, and returns what it said and what was seen, by call.
func watch(t *testing.T, p *target, capture string, calls int) (want, got map[int]object) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "snapshots.ndjson")
	cfg := debugger.Config{
		Enabled: true,
		Targets: []debugger.TargetConfig{{PID: p.cmd.Process.Pid}},
		Output:  debugger.OutputConfig{Type: debugger.OutputFile, Path: path},
	}
	for i := range types {
		cfg.Probes = append(cfg.Probes, debugger.ProbeSource{JSON: fmt.Appendf(nil,
			`{"id":"p%d","version":1,"type":"LOG_PROBE","language":"go","where":{"methodName":"main.probed%d"},"captureSnapshot":true,"sampling":{"snapshotsPerSecond":5000}%s}`, i, i, capture)})
	}
	engine, err := debugger.New(cfg, debugger.Deps{})
	require.NoError(t, err)
	err = engine.Start(t.Context())
	if errors.Is(err, debugger.ErrNotSupported) && os.Getenv("VIGIL_REQUIRE_BPF") == "" {
		t.Skip(err)
	}
	require.NoError(t, err)
	defer func() { require.NoError(t, engine.Stop(t.Context())) }()
	require.Eventually(t, func() bool {
		probes := engine.Status().Probes
		return len(probes) == types && !slices.ContainsFunc(probes, func(s debugger.ProbeStatus) bool {
			return len(s.Targets) != 1 || s.Targets[0].State != debugger.StateInstalled
		})
	}, 60*time.Second, 10*time.Millisecond, "%+v", engine.Status())
	// What interfaces hold is learnt when it is met: the same calls are made until
	// nothing was new, some of them first because that is quicker.
	for _, count := range []int{calls / 10, calls} {
		for learnt := false; !learnt; {
			before := settled(t, engine)
			p.again(t)
			want = p.call(t, count)
			learnt = settled(t, engine) == before
		}
	}
	require.NoError(t, engine.Stop(t.Context()))
	for _, s := range engine.Status().Probes {
		require.Zero(t, s.Dropped+s.Throttled, "%+v", s)
	}
	return want, read(t, path, calls)
}

// settled waits until no type waits to be learnt, and returns how often probes
// were planned again.
func settled(t *testing.T, engine *debugger.Engine) (replans uint64) {
	t.Helper()
	require.Eventually(t, func() bool {
		replans = 0
		for _, s := range engine.Status().Probes {
			if s.TypesPending > 0 || s.Snapshots < s.Hits {
				return false
			}
			replans += s.Replans
		}
		return true
	}, 2*time.Minute, 100*time.Millisecond, "types wait to be learnt, or calls are without a snapshot")
	return replans
}

// read returns the second argument of each of the last calls, by the first. The
// snapshots of calls made before were all counted, and so written, before these.
func read(t *testing.T, path string, calls int) map[int]object {
	t.Helper()
	skipped := lines(t, path) - calls
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	out, validated := map[int]object{}, 0
	for in, n := bufio.NewReader(file), 0; ; n++ {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			require.Empty(t, text)
			return out
		}
		require.NoError(t, err)
		if n < skipped {
			continue
		}
		var doc struct {
			Debugger struct {
				Snapshot struct {
					Captures struct {
						Entry struct{ Arguments map[string]object }
					}
				}
			}
		}
		require.NoError(t, json.Unmarshal(text, &doc))
		arguments := doc.Debugger.Snapshot.Captures.Entry.Arguments
		seq, err := strconv.Atoi(arguments["seq"]["value"].(string))
		require.NoError(t, err)
		out[seq] = arguments["v"]
		if validated++; validated%50 == 0 { // it takes longer than all the rest
			require.NoError(t, schemacheck.Validate(text))
		}
	}
}

// lines counts the lines of a file.
func lines(t *testing.T, path string) (n int) {
	t.Helper()
	file, err := os.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	for chunk := make([]byte, 1<<20); ; {
		read, err := file.Read(chunk)
		n += bytes.Count(chunk[:read], []byte{'\n'})
		if errors.Is(err, io.EOF) {
			return n
		}
		require.NoError(t, err)
	}
}

func check(t *testing.T, want, got map[int]object, whole bool) {
	t.Helper()
	wrong := 0
	for seq := range want {
		require.Contains(t, got, seq)
		problems := compare("v", got[seq], want[seq], whole)
		if len(problems) == 0 {
			continue
		}
		if wrong++; wrong <= 10 {
			t.Errorf("call %d: %d differences:\n%s", seq, len(problems), problems[:min(5, len(problems))])
		}
	}
	require.Zero(t, wrong, "of %d", len(want))
}

// Ten thousand random values, none of which hits a limit: a snapshot is what the
// program itself says, to the last address.
func TestSnapshotsAreTrue(t *testing.T) {
	p := start(t, build(t), "-pause", pause.String())
	want, got := watch(t, p, `,"capture":{"maxReferenceDepth":32,"maxCollectionSize":1000,"maxLength":8000,"maxFieldCount":1000}`, 10_000)
	require.NoError(t, p.in.Close())
	require.NoError(t, p.cmd.Wait())
	check(t, want, got, true)
}

// Values above every default limit: what is shown is true, and what is missing
// says why.
func TestOmissionsHaveReasons(t *testing.T) {
	p := start(t, build(t), "-big", "-seed", "7", "-pause", (10 * pause).String())
	want, got := watch(t, p, "", 300)
	require.NoError(t, p.in.Close())
	require.NoError(t, p.cmd.Wait())
	check(t, want, got, false)
}
