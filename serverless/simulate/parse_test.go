package simulate

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := Parse("x", []byte(`# a comment
title  all there is: "quoted" # too
slow
env A=1 B='two words'

ready   # behind a step
expect status=200 within=2s
validate body=x
run id=mvm-1 size=100
run id='a b'
run
run body='{"microvmId": "x"}'
call DELETE ready body=y
call POST /other
together suspend resume
expect within=1s
	freeze 3s
wait 1m30s
await
settle
stop
clone
kill`))
	require.NoError(t, err)
	require.Equal(t, &Scenario{
		Name: "x", Title: `all there is: "quoted" # too`, Slow: true, Env: []string{"A=1", "B=two words"},
		Steps: []Step{
			{At: Position{6, 1}, Text: "ready   # behind a step", Hook: lifecycle.Ready, Expect: Expectation{Status: 200, Within: 2 * time.Second}},
			{At: Position{8, 1}, Text: "validate body=x", Hook: lifecycle.Validate, Body: []byte("x"), HasBody: true},
			{At: Position{9, 1}, Text: "run id=mvm-1 size=100", Hook: lifecycle.Run, ID: "mvm-1", Size: 100},
			{At: Position{10, 1}, Text: "run id='a b'", Hook: lifecycle.Run, ID: "a b"},
			{At: Position{11, 1}, Text: "run", Hook: lifecycle.Run},
			{At: Position{12, 1}, Text: `run body='{"microvmId": "x"}'`, Hook: lifecycle.Run, Body: []byte(`{"microvmId": "x"}`), HasBody: true},
			{At: Position{13, 1}, Text: "call DELETE ready body=y", Verb: DoCall, Method: "DELETE", Path: "ready", Body: []byte("y"), HasBody: true},
			{At: Position{14, 1}, Text: "call POST /other", Verb: DoCall, Method: "POST", Path: "/other"},
			{
				At: Position{15, 1}, Text: "together suspend resume", Verb: DoTogether,
				Together: []lifecycle.Hook{lifecycle.Suspend, lifecycle.Resume}, Expect: Expectation{Within: time.Second},
			},
			{At: Position{17, 2}, Text: "freeze 3s", Verb: DoFreeze, For: 3 * time.Second},
			{At: Position{18, 1}, Text: "wait 1m30s", Verb: DoWait, For: 90 * time.Second},
			{At: Position{19, 1}, Text: "await", Verb: DoAwait},
			{At: Position{20, 1}, Text: "settle", Verb: DoSettle},
			{At: Position{21, 1}, Text: "stop", Verb: DoStop},
			{At: Position{22, 1}, Text: "clone", Verb: DoClone},
			{At: Position{23, 1}, Text: "kill", Verb: DoKill},
		},
	}, got)
}

// Every mistake is named, with its place and what may be meant.
func TestParseProblems(t *testing.T) {
	t.Parallel()
	_, err := Parse("my.scenario", []byte(`expect status=200
redy
  suspnd now
run id
run ide=1
run id=a body=b
run size=0
run size=99999999
wait
wait 3
wait -1s
freeze 11m
await 3s
call GET
call GTE /x
call GET 'a b'
together suspend
together suspend resum
wait 1s
expect status=200
ready
expect
expect staus=200 status=99
env
env =x
run body='open
clock +1h
slow down
kill
clone
kill
run`))
	require.EqualError(t, err, `my.scenario:1:1: expect is about the hook on the line before it, and there is none
my.scenario:2:1: "redy" is no step; did you mean ready?
my.scenario:3:3: "suspnd" is no step; did you mean suspend?
my.scenario:4:5: id needs a value, as in id=…
my.scenario:5:5: "ide" is unknown here; did you mean id?
my.scenario:6:1: body= says everything already; leave out id= and size=
my.scenario:7:5: "0" is no number between 1 and 4194304
my.scenario:8:5: "99999999" is no number between 1 and 4194304
my.scenario:9:1: a duration is missing, as in `+"`wait 500ms`"+`
my.scenario:10:6: "3" is no duration; write it like 500ms, 3s or 1m30s
my.scenario:11:6: -1s is not between 0 and 10m0s
my.scenario:12:8: 11m is not between 0 and 10m0s
my.scenario:13:7: "3s" is one word too many
my.scenario:14:1: write `+"`call METHOD PATH`, as in `call GET ready`"+`
my.scenario:15:6: "GTE" is no method; did you mean GET?
my.scenario:16:10: "a b" is no path; escape what is not printable ASCII
my.scenario:17:1: name 2 to 64 hooks, as in `+"`together suspend resume`"+`
my.scenario:18:18: "resum" is no hook; did you mean resume?
my.scenario:20:1: expect is about the hook on the line before it, and there is none
my.scenario:22:1: write what is expected, as in `+"`expect status=200 within=2s`"+`
my.scenario:23:8: "staus" is unknown here; did you mean status?
my.scenario:23:18: "99" is no number between 100 and 599
my.scenario:24:1: write `+"`env NAME=VALUE`"+`
my.scenario:25:5: "=x" is not NAME=VALUE
my.scenario:26:10: a quote is opened and not closed on this line
my.scenario:27:1: clock: `+clockRefusal+`
my.scenario:28:6: "down" is one word too many
my.scenario:32:1: the machine is gone; only `+"`clone` starts another")
	var problems Problems
	require.ErrorAs(t, err, &problems)
	require.Equal(t, Position{2, 1}, problems[1].At)
}

func TestParseBounds(t *testing.T) {
	t.Parallel()
	_, err := Parse("x", nil)
	require.EqualError(t, err, "x:1:1: the scenario has no step; begin with `ready`")
	s, err := Parse("x", []byte(strings.Repeat("await\n", MaxSteps)))
	require.NoError(t, err)
	require.Len(t, s.Steps, MaxSteps)
	_, err = Parse("x", []byte(strings.Repeat("await\n", MaxSteps+10)))
	require.EqualError(t, err, "x:1001:1: a scenario has at most 1000 steps")
}

func TestBodies(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"run":           "",
		"run id=a":      `{"microvmId":"a","runHookPayload":""}`,
		"run id='a\"'":  `{"microvmId":"a\"","runHookPayload":""}`,
		"run size=30":   `{"runHookPayload":"xxxxxxxxx"}`,
		"run body='{}'": "{}",
		"run body=":     "",
		"suspend":       "",
		"ready body=x":  "x",
	} {
		s, err := Parse("x", []byte(line))
		require.NoError(t, err, line)
		require.Equal(t, want, string(s.Steps[0].body()), line)
	}
	require.Len(t, (&Step{Hook: lifecycle.Run, ID: "mvm-1", Size: 1<<20 + 1}).body(), 1<<20+1)
}

func TestBuiltInScenarios(t *testing.T) {
	t.Parallel()
	var names []string
	for _, s := range BuiltIn() {
		require.NotEmpty(t, s.Title, s.Name)
		require.Equal(t, lifecycle.Ready, s.Steps[0].Hook, s.Name)
		names = append(names, s.Name)
		same, err := Find(s.Name)
		require.NoError(t, err)
		require.Same(t, s, same)
	}
	require.Equal(t, []string{
		"build", "foreign-calls", "life", "duplicate-run", "second-id", "run-without-id", "oversize-run", "resume-while-running",
		"duplicate-suspend", "overlap", "missing-suspend", "duplicate-terminate", "clone", "stop", "watchdog", "stale-resume", "cadence",
	}, names)
	_, err := Find("colne")
	require.EqualError(t, err, `no built-in scenario is named "colne"; did you mean clone?`)
}

func TestTimeouts(t *testing.T) {
	t.Parallel()
	timeouts := DefaultTimeouts()
	require.NoError(t, timeouts.Set("suspend", 3*time.Second))
	require.EqualError(t, timeouts.Set("suspnd", time.Second), `"suspnd" is no hook; did you mean suspend?`)
	require.Equal(t, []string{"ready=1m", "validate=10s", "run=2s", "resume=2s", "suspend=3s", "terminate=5s"}, timeouts.Spell())
}

// Whatever the text, Parse ends with a scenario within its bounds, or with
// problems that have a place in the text.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"ready\nrun id=a\nexpect status=200 within=2s\n", "call GET / body='x'", "together run run", "env A=b\nslow\ntitle x", "run body='", "clock +1h", "freeze 1s # x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("f", []byte(text))
		if err != nil {
			var problems Problems
			require.ErrorAs(t, err, &problems)
			lines := strings.Split(text, "\n")
			for _, p := range problems {
				require.LessOrEqual(t, p.At.Line, len(lines))
				require.LessOrEqual(t, p.At.Column, len(lines[p.At.Line-1])+1)
			}
			return
		}
		require.NotEmpty(t, s.Steps)
		require.LessOrEqual(t, len(s.Steps), MaxSteps)
		for i := range s.Steps {
			require.LessOrEqual(t, s.Steps[i].For, MaxDuration)
			require.LessOrEqual(t, len(s.Steps[i].body()), MaxBody+64)
		}
	})
}
