package snapshot_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

// TestEnvelope compares a whole snapshot, byte for byte in one line and again
// indented for its readers.
func TestEnvelope(t *testing.T) {
	t.Parallel()
	m := newMemory().args(arg{"o", new(&order{42, "tea", 3.5})})
	got := decode(t, m.plan, m.event()).AppendJSON(nil)
	checkSchema(t, got)
	require.NotContains(t, string(got), "\n")
	v := jsontext.Value(got)
	require.NoError(t, v.Indent())
	checkGolden(t, filepath.Join("testdata", "envelope.json"), string(v)+"\n")
}

func TestEnvelopeProcessTags(t *testing.T) {
	t.Parallel()
	m := newMemory().args(arg{"n", new(1)})
	d := deps()
	d.Process = func(e *event.Event) snapshot.Process {
		require.EqualValues(t, 4242, e.PID)
		return snapshot.Process{Service: `a"b`, Tags: "pid:4242,entrypoint.name:shop"}
	}
	e := m.event()
	l, err := snapshot.NewLayout(m.plan, snapshot.Redaction{})
	require.NoError(t, err)
	got := string(snapshot.NewDecoder(d).Decode(l, e).AppendJSON(nil))
	checkSchema(t, []byte(got))
	require.True(t, strings.HasPrefix(got, `{"service":"a\"b","ddsource":"dd_debugger","process_tags":"pid:4242,entrypoint.name:shop","timestamp":1773501056535,"logger":`), got)
	// Without symbols every frame is an address.
	require.Contains(t, got, `"stack":[{"function":"0x401000","fileName":"","lineNumber":0},{"function":"0x402000",`)
}

// TestEnvelopeHostileNames shows that names which are not UTF-8, hold quotes or
// terminal control sequences cannot break either output.
func TestEnvelopeHostileNames(t *testing.T) {
	t.Parallel()
	m := newMemory().args(arg{"a\xff\"\x1b[31m", new(1)})
	m.plan.Function, m.plan.ProbeID = "main.\xff\x1b[2J", "p\xff\""
	s := decode(t, m.plan, m.event())
	checkSchema(t, s.AppendJSON(nil))
	require.NotContains(t, string(s.AppendText(nil)), "\x1b")
	require.NotContains(t, string(s.AppendTree(nil)), "\x1b")
}

// calls are a plan for entry and returns of one function, and the events of a call.
func calls(results ...arg) (p *plan.Plan, entry, ret *event.Event) {
	m := newMemory().args(arg{"n", new(7)})
	from := len(m.plan.Variables)
	m.args(results...)
	for i := range m.plan.Variables[from:] {
		m.plan.Variables[from+i].Role = plan.RoleResult
	}
	m.plan.Sites = append(m.plan.Sites, plan.Site{PC: 0x401234, Kind: plan.SiteReturn})
	entry, ret = m.event(), m.event()
	ret.Site, ret.Ktime, ret.EntryKtime, ret.Stack = 1, entry.Ktime+1500, entry.Ktime, []uint64{0x402000}
	return m.plan, entry, ret
}

func TestCallGolden(t *testing.T) {
	t.Parallel()
	for name, results := range map[string][]arg{
		"none":    nil,
		"one":     {{"~r0", new("done")}},
		"several": {{"n", new(3)}, {"~r1", new(error(nil))}, {"password", new("hunter2")}},
	} {
		p, entry, ret := calls(results...)
		if name == "several" {
			p.Variables = append(p.Variables, plan.Variable{Name: "~r3", Role: plan.RoleResult, Type: p.Variables[0].Type, Unavailable: "in a vector register"})
		}
		l, err := snapshot.NewLayout(p, snapshot.Redaction{})
		require.NoError(t, err)
		d := snapshot.NewDecoder(deps())
		var text strings.Builder
		for _, s := range []func() *snapshot.Snapshot{
			func() *snapshot.Snapshot { return d.DecodeCall(l, entry, ret) },
			func() *snapshot.Snapshot { return d.Decode(l, ret) },
			func() *snapshot.Snapshot { return d.DecodeUnfinished(l, entry, "return not received: a panic") },
		} {
			got := s().AppendJSON(nil)
			checkSchema(t, got)
			v := jsontext.Value(got)
			require.NoError(t, v.Indent())
			text.Write(append(v, '\n'))
			text.Write(s().AppendText(nil))
			text.Write(s().AppendTree(nil))
		}
		checkGolden(t, filepath.Join("testdata", "call_"+name+".txt"), text.String())
	}
}

func TestLineGolden(t *testing.T) {
	t.Parallel()
	m := newMemory().args(arg{"n", new(7)}, arg{"i", new(8)})
	m.plan.Variables[1].Role = plan.RoleLocal
	m.plan.Sites = []plan.Site{{Kind: plan.SiteLine, File: "/src/main.go", Line: 33}}
	e := m.event()
	e.Stack, e.StackID = nil, 5
	got := decode(t, m.plan, e).AppendJSON(nil)
	checkSchema(t, got)
	v := jsontext.Value(got)
	require.NoError(t, v.Indent())
	checkGolden(t, filepath.Join("testdata", "line.json"), string(v)+"\n")
}

func TestDecodeCallDoesNotAllocate(t *testing.T) {
	p, entry, ret := calls(arg{"~r0", new("done")}, arg{"~r1", new(1)})
	l, err := snapshot.NewLayout(p, snapshot.Redaction{})
	require.NoError(t, err)
	dep := deps()
	dep.NewID = nil
	d := snapshot.NewDecoder(dep)
	var out []byte
	require.Zero(t, testing.AllocsPerRun(200, func() { out = d.DecodeCall(l, entry, ret).AppendJSON(out[:0]) }))
}

func TestSnapshotAccessors(t *testing.T) {
	t.Parallel()
	m := newMemory()
	s := decode(t, m.plan, m.event())
	require.Equal(t, 4242, s.PID())
	require.EqualValues(t, 18, s.Goroutine())
	require.Equal(t, boot.Add(90e9), s.Time())
}

// TestRandomIDs takes more ids than the pool holds.
func TestRandomIDs(t *testing.T) {
	t.Parallel()
	m := newMemory()
	d := deps()
	d.NewID = nil
	l, err := snapshot.NewLayout(m.plan, snapshot.Redaction{})
	require.NoError(t, err)
	dec, e := snapshot.NewDecoder(d), m.event()
	seen := map[string]bool{}
	for range 200 {
		got := dec.Decode(l, e).AppendJSON(nil)
		checkSchema(t, got)
		_, id, _ := strings.Cut(string(got), `"snapshot":{"id":"`)
		require.False(t, seen[id[:36]])
		seen[id[:36]] = true
	}
}
