package debugger_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger"
)

// probeOn is a definition.
func probeOn(id, rest string) debugger.ProbeSource {
	return inline(`{"id":"` + id + `","captureSnapshot":true,"sampling":{"snapshotsPerSecond":1000},` + rest + `}`)
}

// TestEngineReturnsAndLines runs definitions of every kind together: a call with
// its return, a line, the copies of an inlined function.
func TestEngineReturnsAndLines(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, build(t, "calls", "plain"))
	line := lineOf(t, "// line probe")
	e, output := startEngine(t, func(c *debugger.Config) {
		c.Targets = []debugger.TargetConfig{{PID: s.pid}}
		c.Probes = []debugger.ProbeSource{
			probeOn("exit", `"evaluateAt":"EXIT","where":{"methodName":"main.divide"}`),
			probeOn("line", `"where":{"methodName":"twice","sourceFile":"main.go","lines":["`+line+`"]}`),
			probeOn("copies", `"where":{"methodName":"main.double"}`),
			probeOn("elsewhere", `"where":{"methodName":"main.once","sourceFile":"main.go","lines":["`+line+`"]}`),
		}
	})
	require.Eventually(t, func() bool { return len(e.Status().Probes[0].Targets) == 1 }, wait, tick)
	s.call(t, "divide", 2)
	s.call(t, "twice", 6)
	require.Eventually(t, func() bool {
		p := e.Status().Probes
		return p[0].Snapshots == 1 && p[1].Snapshots == 1 && p[2].Snapshots == 2
	}, wait, tick)
	probes := e.Status().Probes
	require.Equal(t, debugger.StateError, probes[3].State)
	require.Equal(t, "main.go:"+line+": the line is not in the function main.once: it is in main.twice", probes[3].Message)
	require.Equal(t, "main.go:"+line, probes[1].Function)
	kinds := func(p debugger.ProbeStatus) (all []string) {
		for _, site := range p.Targets[0].Sites {
			all = append(all, site.Kind)
		}
		return all
	}
	require.Equal(t, []string{"line"}, kinds(probes[1]))
	require.Equal(t, []string{"entry", "entry"}, kinds(probes[2]))
	require.Equal(t, debugger.Calls{Returns: 1, Paired: 1}, probes[0].Calls)
	require.Equal(t, "entry", kinds(probes[0])[0])
	require.Equal(t, "return", kinds(probes[0])[1])
	stop(t, e)
	all := strings.Join(snapshots(t, output), "\n")
	require.Contains(t, all, `"return":{"locals":{"@return":`)
	require.Contains(t, all, `"lines":{"`+line+`":{`)
	require.Equal(t, 2, strings.Count(all, `"probe":{"id":"copies"`))
}

// TestEngineCallOfAnEndedProcess gives back the calls of a process that ended
// while others run the same program.
func TestEngineCallOfAnEndedProcess(t *testing.T) {
	needKernel(t)
	t.Parallel()
	exe := build(t, "calls", "plain")
	one, two := startShop(t, exe), startShop(t, exe)
	e, output := startEngine(t, func(c *debugger.Config) {
		c.Targets = []debugger.TargetConfig{{PID: one.pid}, {PID: two.pid}}
		c.Probes = []debugger.ProbeSource{probeOn("exit", `"evaluateAt":"EXIT","where":{"methodName":"main.leave"}`)}
	})
	become(t, e, "placed", inState(debugger.StateInstalled, 2))
	one.call(t, "leave", 1)
	one.end(t)
	require.Eventually(t, func() bool { return e.Status().Probes[0].Ended == 1 }, wait, 10*tick)
	stop(t, e)
	all := snapshots(t, output)
	require.Len(t, all, 1)
	require.Contains(t, all[0], "the process ended first")
}

// TestEngineRedaction hides and shows what the configuration says.
func TestEngineRedaction(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, buildShop(t, "plain"))
	e, output := startEngine(t, func(c *debugger.Config) {
		c.Targets = []debugger.TargetConfig{{PID: s.pid}}
		c.Probes = []debugger.ProbeSource{inline(handleProbe)}
		c.Redaction = debugger.RedactionConfig{Identifiers: []string{"ITEM"}, Except: []string{"pass_word"}, Types: []string{"main.Cust*"}}
	})
	become(t, e, "placed", inState(debugger.StateInstalled, 1))
	s.call(t, "order", 1)
	become(t, e, "seen", inState(debugger.StateEmitting, 1))
	stop(t, e)
	got := snapshots(t, output)[0]
	require.Contains(t, got, `"Item":{"type":"string","notCapturedReason":"redactedIdent"}`)
	require.Contains(t, got, `"Customer":{"type":"*main.Customer","notCapturedReason":"redactedType"}`)
	require.Contains(t, got, `"Password":{"type":"string","value":"hunter2"}`)
}

func TestRedactionIsChecked(t *testing.T) {
	t.Parallel()
	c := debugger.DefaultConfig()
	c.Redaction.Types = []string{"main.Card", "vault.*", "*", "a*b"}
	require.EqualError(t, c.Validate(), `redaction.types[2]: "*": a star stands at the end, after the beginning of the names`+"\n"+
		`redaction.types[3]: "a*b": a star stands at the end, after the beginning of the names`)
}

// TestEngineLearnsTypes captures values of types that no plan knew, without a
// restart.
func TestEngineLearnsTypes(t *testing.T) {
	needKernel(t)
	t.Parallel()
	s := startShop(t, build(t, "calls", "plain"))
	e, output := startEngine(t, func(c *debugger.Config) {
		c.Targets = []debugger.TargetConfig{{PID: s.pid}}
		c.Probes = []debugger.ProbeSource{probeOn("show", `"where":{"methodName":"main.show"}`)}
	})
	become(t, e, "placed", inState(debugger.StateInstalled, 1))
	calls := uint64(0)
	deadline := time.Now().Add(wait)
	for last := uint64(1 << 63); ; {
		s.call(t, "show", int(calls)+1)
		calls++
		p := become(t, e, "settled", func(p debugger.ProbeStatus) bool { return p.Snapshots == calls && p.TypesPending == 0 })
		if p.Replans == last || time.Now().After(deadline) {
			break // a call that met nothing new
		}
		last = p.Replans
	}
	p := e.Status().Probes[0]
	require.Positive(t, p.Replans)
	require.Equal(t, calls, p.Hits, "no call is seen twice, and none is missed")
	require.Equal(t, calls, p.Targets[0].Snapshots)
	stop(t, e)
	all := snapshots(t, output)
	require.Contains(t, all[0], `"data":{"type":"*main.crate","notCapturedReason":"missing type information"}`)
	require.Contains(t, all[len(all)-1], `"Content":{"type":"string","value":"paper"}`)
	require.NotContains(t, all[len(all)-1], "notCapturedReason")
}
