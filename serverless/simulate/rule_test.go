package simulate

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// hook is a call as the platform sends it, answered after a millisecond. Times
// are milliseconds.
func hook(at int, h lifecycle.Hook, status int, id ...string) Call {
	c := Call{Step: h.String(), Hook: h, Method: "POST", Path: lifecycle.BasePath + h.String(), Sent: ms(at), Took: ms(1), Limit: 2 * time.Second, Status: status}
	if len(id) > 0 {
		c.ID = id[0]
	}
	if status == 0 {
		c.Err = "the connection was cut"
	}
	return c
}

func run(at int, id string) Call { return hook(at, lifecycle.Run, 200, id) }

func resume(at int) Call { return hook(at, lifecycle.Resume, 200) }

func suspend(at int) Call { return hook(at, lifecycle.Suspend, 200) }

func terminate(at int) Call { return hook(at, lifecycle.Terminate, 200) }

func of(kind Kind, c Call) Call {
	c.Kind = kind
	return c
}

func together(c Call) Call {
	c.Together = true
	return c
}

func expecting(e Expectation, c Call) Call {
	c.Expect = e
	return c
}

func beat(at int, id string) Sample {
	return Sample{At: ms(at), Name: heartbeatMetric, Type: "g", Value: 1, Tags: []string{"microvm_id:" + id}}
}

func event(at int, h lifecycle.Hook, id string) Sample {
	return Sample{At: ms(at), Name: eventPrefix + h.String(), Type: "d", Value: 1, Tags: []string{"lambda_microvm_id:" + id}}
}

// trace sorts what it is given into a trace that lasts a minute.
func trace(parts ...any) *Trace {
	t := &Trace{Scenario: "s", End: time.Minute}
	for _, part := range parts {
		switch p := part.(type) {
		case Call:
			t.Calls = append(t.Calls, p)
		case Sample:
			t.Samples = append(t.Samples, p)
		case Freeze:
			t.Freezes = append(t.Freezes, p)
		case Exit:
			t.Exits = append(t.Exits, p)
		case Listen:
			t.Listens = append(t.Listens, p)
		}
	}
	return t
}

var testPolicy = policy{window: 4 * time.Second, grace: 250 * time.Millisecond, stop: 10 * time.Second, metered: true, events: true}

func verdictOf(t *testing.T, id string, tr *Trace) Verdict {
	t.Helper()
	for _, r := range rules() {
		if r.id == id {
			return r.over([]*view{newView(tr, testPolicy)}, testPolicy)
		}
	}
	require.Fail(t, "no such rule", id)
	return Verdict{}
}

type traces []*Trace

// Every rule is kept by some traces, broken by others with a fact that says
// what was seen, and has nothing to say about the rest.
func TestRules(t *testing.T) {
	t.Parallel()
	ready := hook(0, lifecycle.Ready, 200)
	cases := map[string]struct {
		kept, idle traces
		broken     map[string]*Trace // by the first fact
	}{
		"reachable": {
			kept:   traces{trace(Listen{Addresses: []string{"::"}, Outside: true})},
			idle:   traces{trace(ready)},
			broken: map[string]*Trace{"it listens on 127.0.0.1 and ::1 only": trace(Listen{Addresses: []string{"127.0.0.1", "::1"}})},
		},
		"ready": {
			kept:   traces{trace(ready)},
			idle:   traces{trace(run(0, "a"))},
			broken: map[string]*Trace{"ready was answered with 504 after 1ms": trace(hook(0, lifecycle.Ready, 504))},
		},
		"validate": {
			kept:   traces{trace(hook(0, lifecycle.Validate, 200))},
			broken: map[string]*Trace{"validate was answered with 500 after 1ms": trace(hook(0, lifecycle.Validate, 500))},
		},
		"run": {
			kept: traces{trace(run(0, "a")), trace(expecting(Expectation{Status: 503}, hook(0, lifecycle.Run, 503, "a")))},
			idle: traces{trace(of(Oversize, hook(0, lifecycle.Run, 500, "a")))},
			broken: map[string]*Trace{
				"run got no answer after 1ms: the connection was cut": trace(hook(0, lifecycle.Run, 0, "a")),
			},
		},
		"resume": {
			kept:   traces{trace(run(0, "a"), suspend(10), resume(20))},
			idle:   traces{trace(resume(0)), trace(run(0, "a"), resume(10))},
			broken: map[string]*Trace{"resume was answered with 404 after 1ms": trace(run(0, "a"), suspend(10), hook(20, lifecycle.Resume, 404))},
		},
		"suspend": {
			kept:   traces{trace(run(0, "a"), suspend(10))},
			broken: map[string]*Trace{"suspend was answered with 503 after 1ms": trace(run(0, "a"), hook(10, lifecycle.Suspend, 503))},
		},
		"terminate": {
			kept:   traces{trace(run(0, "a"), terminate(10))},
			broken: map[string]*Trace{"terminate was answered with 500 after 1ms": trace(run(0, "a"), hook(10, lifecycle.Terminate, 500))},
		},
		"post-only": {
			kept:   traces{trace(of(WrongMethod, hook(0, lifecycle.Run, 405)), of(WrongMethod, hook(0, lifecycle.Run, 400)))},
			idle:   traces{trace(of(WrongPath, hook(0, lifecycle.Run, 200)))},
			broken: map[string]*Trace{"run was answered with 200 after 1ms": trace(of(WrongMethod, hook(0, lifecycle.Run, 200)))},
		},
		"other-paths": {
			kept:   traces{trace(of(WrongPath, hook(0, lifecycle.Run, 404)))},
			broken: map[string]*Trace{"run got no answer after 1ms: the connection was cut": trace(of(WrongPath, hook(0, lifecycle.Run, 0)))},
		},
		"freeze": {
			kept:   traces{trace(run(0, "a"), Freeze{From: ms(10), To: ms(20)}, suspend(30))},
			idle:   traces{trace(run(0, "a"), suspend(30)), trace(Freeze{Machine: 1, From: ms(10), To: ms(20)}, suspend(30))},
			broken: map[string]*Trace{"resume was answered with 500 after 1ms": trace(suspend(0), Freeze{From: ms(10), To: ms(20)}, hook(30, lifecycle.Resume, 500))},
		},
		"survives": {
			kept:   traces{trace(Exit{Cause: Killed}), trace(Exit{Cause: Stopped, Late: true})},
			idle:   traces{trace(ready)},
			broken: map[string]*Trace{"it ended by itself with code 139, 5ms after the beginning": trace(Exit{Cause: Itself, Code: 139, At: ms(5)})},
		},
		"sigterm": {
			kept: traces{trace(Exit{Cause: Stopped, Took: ms(10)})},
			idle: traces{trace(Exit{Cause: Killed, Left: []string{"x"}})},
			broken: map[string]*Trace{
				"it did not end within 10s":              trace(Exit{Cause: Stopped, Late: true}),
				"these processes outlived it: sh, nginx": trace(Exit{Cause: Stopped, Left: []string{"sh", "nginx"}}),
			},
		},
		"expectations": {
			kept: traces{trace(expecting(Expectation{Status: 200, Within: ms(1)}, run(0, "a")))},
			idle: traces{trace(run(0, "a"))},
			broken: map[string]*Trace{
				"run was answered with 200 after 1ms, not 503":         trace(expecting(Expectation{Status: 503}, run(0, "a"))),
				"run was answered with 200 after 1ms, not within 10µs": trace(expecting(Expectation{Within: 10 * time.Microsecond}, run(0, "a"))),
			},
		},
		"duplicate-run": {
			kept: traces{trace(run(0, "a"), event(1, lifecycle.Run, "a"), run(10, "a"))},
			idle: traces{trace(run(0, "a"), run(10, "b"))},
			broken: map[string]*Trace{
				"run was answered with 409 after 1ms": trace(run(0, "a"), hook(10, lifecycle.Run, 409, "a")),
				"run: 2 run events of a were counted": trace(run(0, "a"), event(1, lifecycle.Run, "a"), run(10, "a"), event(11, lifecycle.Run, "a")),
			},
		},
		"second-id": {
			kept: traces{trace(run(0, "a"), beat(1, "a"), run(10, "b"), beat(500, "a"), beat(2000, "b"))},
			idle: traces{trace(run(0, "a"), run(10, "a"))},
			broken: map[string]*Trace{
				"run: no heartbeat of b arrived within 4s after the new id": trace(run(0, "a"), run(10, "b"), beat(20, "a")),
				"run: a heartbeat 9.99s later still had the id \"a\"":       trace(run(0, "a"), run(10, "b"), beat(20, "b"), beat(10000, "a")),
			},
		},
		"run-without-id": {
			kept:   traces{trace(run(0, ""), run(100, "a"), beat(101, "a")), trace(of(Malformed, run(0, "")))},
			idle:   traces{trace(run(0, "a"))},
			broken: map[string]*Trace{"run: 1 heartbeats arrived, the first 50ms later with microvm_id:unknown": trace(run(0, ""), beat(50, "unknown"), run(100, "a"))},
		},
		"resume-before-run": {
			kept: traces{trace(resume(0), run(10, "a"), beat(11, "a"))},
			idle: traces{trace(run(0, "a"), resume(10))},
			broken: map[string]*Trace{
				"resume was answered with 500 after 1ms":                                    trace(hook(0, lifecycle.Resume, 500)),
				"resume: 1 heartbeats arrived, the first 5ms later with microvm_id:unknown": trace(resume(0), beat(5, "unknown")),
			},
		},
		"resume-while-running": {
			kept: traces{trace(run(0, "a"), beat(1, "a"), resume(10)), trace(run(0, "a"), beat(1, "a"), resume(31000), beat(33000, "a"))},
			idle: traces{trace(run(0, "a"), suspend(1), resume(10))},
			broken: map[string]*Trace{
				"resume: no heartbeat of a arrived within 4s although the latest one was older than 30 s": trace(run(0, "a"), beat(1, "a"), resume(31000)),
			},
		},
		"duplicate-suspend": {
			kept: traces{trace(run(0, "a"), suspend(10), event(11, lifecycle.Suspend, "a"), suspend(20))},
			idle: traces{trace(run(0, "a"), suspend(10), resume(20), suspend(30))},
			broken: map[string]*Trace{
				"suspend was answered with 500 after 1ms": trace(run(0, "a"), suspend(10), hook(20, lifecycle.Suspend, 500)),
				"suspend: 2 suspend events were counted for one transition": trace(run(0, "a"), suspend(10), event(11, lifecycle.Suspend, "a"), suspend(20),
					event(21, lifecycle.Suspend, "a")),
			},
		},
		"duplicate-terminate": {
			kept: traces{trace(terminate(10), event(11, lifecycle.Terminate, "a"), terminate(20))},
			idle: traces{trace(terminate(10))},
			broken: map[string]*Trace{
				"terminate: 2 terminate events were counted for one transition": trace(terminate(10), event(11, lifecycle.Terminate, "a"), terminate(20), event(21, lifecycle.Terminate, "a")),
			},
		},
		"resume-after-terminate": {
			kept: traces{trace(run(0, "a"), terminate(10), resume(20))},
			idle: traces{trace(run(0, "a"), suspend(10), resume(20))},
			broken: map[string]*Trace{
				"resume was answered with 410 after 1ms":                               trace(terminate(10), hook(20, lifecycle.Resume, 410)),
				"resume: 1 heartbeats arrived, the first 80ms later with microvm_id:a": trace(run(0, "a"), terminate(10), resume(20), beat(100, "a")),
			},
		},
		"overlap": {
			kept: traces{
				trace(run(0, "a"), together(suspend(10)), together(resume(10)), beat(20, "a"), resume(30)),
				trace(run(0, "a"), together(suspend(10)), together(resume(10)), resume(30), beat(2000, "a")),
			},
			idle: traces{trace(run(0, "a"), suspend(10), resume(20))},
			broken: map[string]*Trace{
				"suspend got no answer after 1ms: the connection was cut":                                        trace(together(hook(0, lifecycle.Suspend, 0))),
				"resume: no heartbeat of a arrived within 4s although the last hook after an overlap was resume": trace(run(0, "a"), beat(1, "a"), together(suspend(10)), together(resume(10)), resume(30)),
			},
		},
		"suspend-refused": {
			kept:   traces{trace(run(0, "a"), hook(10, lifecycle.Suspend, 503), beat(1000, "a"))},
			idle:   traces{trace(run(0, "a"), suspend(10)), trace(hook(10, lifecycle.Suspend, 503))},
			broken: map[string]*Trace{"suspend: no heartbeat of a arrived within 4s after a suspend without effect": trace(run(0, "a"), hook(10, lifecycle.Suspend, 503))},
		},
		"watchdog": {
			kept: traces{trace(run(0, "a"), suspend(10), beat(31000, "a")), trace(run(0, "a"), suspend(10), beat(30500, "a"), Exit{At: ms(30600)})},
			idle: traces{
				trace(run(0, "a"), suspend(10), resume(33000)),
				trace(run(0, "a"), suspend(10), Freeze{From: ms(20), To: ms(50000)}),
			},
			broken: map[string]*Trace{"suspend: the machine executed for 59.99s, and no heartbeat came back": trace(run(0, "a"), suspend(10), beat(20000, "a"))},
		},
		"missing-suspend": {
			kept: traces{trace(run(0, "a"), Freeze{From: ms(10), To: ms(3000)}, beat(3001, "a"), beat(3002, "a"))},
			idle: traces{trace(run(0, "a"), suspend(5), Freeze{From: ms(10), To: ms(3000)}, beat(3001, "a"))},
			broken: map[string]*Trace{
				"3 heartbeats arrived within 4s after a freeze of 2.99s": trace(run(0, "a"), Freeze{From: ms(10), To: ms(3000)}, beat(3001, "a"), beat(3002, "a"), beat(3003, "a")),
			},
		},
		"silent-build": {
			kept:   traces{trace(ready, run(10, "a"), beat(11, "a"))},
			broken: map[string]*Trace{"before run: 1 heartbeats arrived, the first 5ms later with microvm_id:": trace(ready, beat(5, ""), run(10, "a"))},
		},
		"first-heartbeat": {
			kept:   traces{trace(run(0, "a"), beat(3900, "a")), trace(run(0, "a"), Freeze{From: ms(10), To: ms(5010)}, beat(7000, "a"))},
			idle:   traces{trace(run(0, "a"), Exit{At: ms(3000)}), trace(run(0, ""))},
			broken: map[string]*Trace{"run: no heartbeat of a arrived within 4s after run": trace(run(0, "a"), beat(4100, "a"))},
		},
		"resumed-heartbeat": {
			kept:   traces{trace(run(0, "a"), suspend(10), resume(20), beat(30, "a"))},
			idle:   traces{trace(run(0, "a"), resume(20))},
			broken: map[string]*Trace{"resume: no heartbeat of a arrived within 4s after resume": trace(run(0, "a"), beat(5, "a"), suspend(10), resume(20))},
		},
		"silent-suspended": {
			kept: traces{trace(run(0, "a"), suspend(10), beat(200, "a"), resume(5000), beat(5001, "a")), trace(run(0, "a"), suspend(10), beat(31000, "a"))},
			idle: traces{trace(run(0, "a"), hook(10, lifecycle.Suspend, 503), beat(1000, "a")), trace(run(0, "a"), suspend(10), resume(20))},
			broken: map[string]*Trace{
				"suspend: 1 heartbeats arrived, the first 739ms later with microvm_id:a":  trace(run(0, "a"), suspend(10), beat(1000, "a"), resume(5000)),
				"suspend: 1 heartbeats arrived, the first 49.74s later with microvm_id:a": trace(run(0, "a"), suspend(10), Freeze{From: ms(1000), To: ms(40000)}, beat(50000, "a")),
			},
		},
		"silent-terminated": {
			kept:   traces{trace(run(0, "a"), terminate(10), beat(200, "a"))},
			idle:   traces{trace(run(0, "a"), suspend(10))},
			broken: map[string]*Trace{"terminate: 1 heartbeats arrived, the first 39.74s later with microvm_id:a": trace(run(0, "a"), terminate(10), beat(40000, "a"))},
		},
		"own-id": {
			kept:   traces{trace(run(0, "a"), beat(1, "a"), run(10, "b"), beat(20, "a"), beat(20, "b"))},
			idle:   traces{trace(run(0, "a"))},
			broken: map[string]*Trace{"machine 0 sent a heartbeat with microvm_id:b, an id it was never given": trace(run(0, "a"), beat(1, "b"))},
		},
		"one-loop": {
			kept: traces{trace(run(0, "a"), beat(1, "a"), beat(10001, "a"), beat(17000, "a"))},
			idle: traces{
				trace(run(0, "a"), beat(1, "a"), beat(2, "a")),
				trace(run(0, "a"), beat(10000, "a"), resume(10500), beat(10501, "a")),
				trace(run(0, "a"), beat(10000, "a"), Freeze{From: ms(10001), To: ms(20000)}, beat(20001, "a")),
				trace(run(0, "a"), beat(10000, "a"), beat(10001, "b")),
			},
			broken: map[string]*Trace{"two heartbeats of a arrived 1s apart, and no hook explains it": trace(run(0, "a"), beat(10000, "a"), beat(11000, "a"))},
		},
		"flushed": {
			kept:   traces{trace(run(0, "a"), suspend(10), event(100, lifecycle.Suspend, "a"))},
			idle:   traces{trace(run(0, "a"), hook(10, lifecycle.Suspend, 503))},
			broken: map[string]*Trace{"terminate: its event had not left the machine when it was answered": trace(run(0, "a"), terminate(10), event(1000, lifecycle.Terminate, "a"))},
		},
		"oversize-run": {
			kept: traces{trace(of(Oversize, hook(0, lifecycle.Run, 500, "x")))},
			idle: traces{trace(run(0, "a"))},
			broken: map[string]*Trace{
				"run was answered with 200 after 1ms":    trace(of(Oversize, run(0, "x"))),
				"run: a heartbeat with its id x arrived": trace(of(Oversize, hook(0, lifecycle.Run, 500, "x")), beat(10, "x")),
			},
		},
	}
	for _, r := range rules() {
		c, ok := cases[r.id]
		require.True(t, ok, "no case for %s", r.id)
		require.NotEmpty(t, c.kept, r.id)
		require.NotEmpty(t, c.broken, r.id)
		for i, tr := range c.kept {
			v := verdictOf(t, r.id, tr)
			require.Equal(t, Kept, v.State, "%s kept %d: %v", r.id, i, v.Facts)
			require.Empty(t, v.Fix)
		}
		for i, tr := range c.idle {
			v := verdictOf(t, r.id, tr)
			require.Equal(t, NotJudged, v.State, "%s idle %d: %v", r.id, i, v.Facts)
		}
		for want, tr := range c.broken {
			v := verdictOf(t, r.id, tr)
			require.Equal(t, Violated, v.State, "%s: %s", r.id, want)
			require.Equal(t, Fact{Scenario: "s", Text: want}, v.Facts[0], r.id)
			require.Equal(t, r.fix, v.Fix)
			require.NotEmpty(t, v.Fix)
		}
	}
	require.Len(t, cases, len(rules()))
}
