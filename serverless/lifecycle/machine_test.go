package lifecycle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// step is one input of the machine at a time after t0, and all it must answer.
type step struct {
	name  string
	do    func(m *Machine, now time.Time) Decision
	at    time.Duration
	want  Decision
	phase Phase
}

func run(id string) func(*Machine, time.Time) Decision {
	return func(m *Machine, now time.Time) Decision { return m.Run(id, now) }
}

// resume arrives when the latest heartbeat is age old.
func resume(age time.Duration) func(*Machine, time.Time) Decision {
	return func(m *Machine, now time.Time) Decision { return m.Resume(now, now.Add(-age)) }
}

func suspend(m *Machine, now time.Time) Decision   { return m.Suspend(now) }
func terminate(m *Machine, _ time.Time) Decision   { return m.Terminate() }
func validate(m *Machine, _ time.Time) Decision    { return m.Validate() }
func answered200(m *Machine, _ time.Time) Decision { return m.SuspendAnswered(m.Epoch(), true) }

func ready(m *Machine, _ time.Time) Decision             { return m.Ready() }
func frozen(m *Machine, _ time.Time) Decision            { return m.FreezeNoticed() }
func terminateAnswered(m *Machine, _ time.Time) Decision { return m.TerminateAnswered(m.Epoch()) }
func answeredOther(m *Machine, _ time.Time) Decision     { return m.SuspendAnswered(m.Epoch(), false) }
func watchdogFired(m *Machine, _ time.Time) Decision     { return m.WatchdogFired(m.Epoch()) }
func lateAnswer(m *Machine, _ time.Time) Decision        { return m.SuspendAnswered(m.Epoch()-1, false) }
func lateWatchdogFire(m *Machine, _ time.Time) Decision  { return m.WatchdogFired(m.Epoch() - 1) }

// The decisions that recur.
var (
	nothing    = Decision{}
	firstRun   = Decision{Identity: "a", Event: true, Beat: BeatStart, Watch: WatchDisarm}
	duplicate  = Decision{Beat: BeatStart, Watch: WatchDisarm}
	anonymous  = Decision{Event: true, Beat: BeatStart, Watch: WatchDisarm}
	resumed    = Decision{Event: true, Beat: BeatStart, Watch: WatchDisarm}
	suspended  = Decision{Event: true, Beat: BeatHalt, Watch: WatchDisarm}
	again      = Decision{Beat: BeatHalt, Watch: WatchDisarm}
	terminated = Decision{Event: true, Beat: BeatHalt, Watch: WatchDisarm}
	arm        = Decision{Watch: WatchArm}
)

const (
	warnNewID      = "run brought a new instance id for a machine that had one"
	warnEarly      = "resume before run: the heartbeat stays silent until run brings the instance id"
	warnRefused    = "suspend was not answered with 200, so the machine keeps running"
	warnWatchdog   = "no resume followed the suspend, yet the machine executes"
	warnLateRun    = "run after terminate is ignored"
	warnLateResume = "resume after terminate is ignored"
	warnOutlived   = "the machine executes although terminate was answered: something else than the platform may have called the hook"
	warnValidated  = "validate stopped the heartbeat: only a machine that tests an image is validated"
	warnNoRun      = "the clocks show that the machine was restored from a snapshot, but no hook followed: enable run in the image's hooks manifest and give it the port of lifecycle_address"
)

func TestMachineSequences(t *testing.T) {
	t.Parallel()
	tests := map[string][]step{
		"duplicate run": {
			{"run", run("a"), 0, firstRun, Running},
			{"same id", run("a"), 1, duplicate, Running},
			{"no id", run(""), 2, duplicate, Running},
		},
		"second run with a new id": {
			{"run", run("a"), 0, firstRun, Running},
			{"new id", run("b"), 1, Decision{Identity: "b", Event: true, Beat: BeatStart, Watch: WatchDisarm, Warn: warnNewID, Odd: OddNewID}, Running},
		},
		"run without id, then with": {
			{"anonymous", run(""), 0, anonymous, Running},
			{"anonymous again", run(""), 1, duplicate, Running},
			{"with id", run("a"), 2, firstRun, Running},
		},
		"resume before run": {
			{"resume", resume(time.Hour), 0, Decision{Event: true, Beat: BeatStart, Watch: WatchDisarm, Warn: warnEarly, Odd: OddNoRun}, Running},
			{"suspend", suspend, 1, suspended, Suspended},
			{"resume, warned already", resume(time.Hour), 2, resumed, Running},
			{"run", run("a"), 3, firstRun, Running},
		},
		"duplicate resume while running": {
			{"run", run("a"), 0, firstRun, Running},
			{"soon after, fresh beat", resume(0), time.Second, Decision{Watch: WatchDisarm}, Running},
			{"exactly at the limit", resume(StaleAfter), StaleAfter, Decision{Watch: WatchDisarm}, Running},
			{"beyond it: a suspend we were not told of", resume(StaleAfter + 1), StaleAfter + 1, Decision{Event: true, Beat: BeatNow, Watch: WatchDisarm}, Running},
			{"fresh beat, duplicate", resume(time.Second), StaleAfter + 2, Decision{Watch: WatchDisarm}, Running},
			{"stale beat, duplicate", resume(time.Minute), StaleAfter + 3, Decision{Beat: BeatNow, Watch: WatchDisarm}, Running},
			{"fresh beat, new transition", resume(time.Second), 10 * time.Minute, Decision{Event: true, Watch: WatchDisarm}, Running},
		},
		"case 24: the wall clock jumps at resume": {
			{"run", run("a"), 0, firstRun, Running},
			{"one hour back", resume(-time.Hour), -time.Hour, Decision{Event: true, Beat: BeatNow, Watch: WatchDisarm}, Running},
			{"one day ahead", resume(24 * time.Hour), 24 * time.Hour, Decision{Event: true, Beat: BeatNow, Watch: WatchDisarm}, Running},
		},
		"normal cycle": {
			{"run", run("a"), 0, firstRun, Running},
			{"suspend", suspend, 1, suspended, Suspended},
			{"answered", answered200, 2, arm, Suspended},
			{"resume", resume(0), 3, resumed, Running},
			{"suspend", suspend, 4, suspended, Suspended},
			{"retried suspend", suspend, 5, again, Suspended},
			{"answered", answered200, 6, arm, Suspended},
			{"run repeated", run("a"), 7, duplicate, Running},
		},
		"suspend refused by the app": {
			{"run", run("a"), 0, firstRun, Running},
			{"suspend", suspend, time.Minute, suspended, Suspended},
			{"503", answeredOther, time.Minute, Decision{Beat: BeatStart, Watch: WatchDisarm, Warn: warnRefused}, Running},
			{"retried suspend is the same transition", suspend, time.Minute + 1, again, Suspended},
			{"503", answeredOther, time.Minute + 2, Decision{Beat: BeatStart, Watch: WatchDisarm, Warn: warnRefused}, Running},
			{"much later, a new transition", suspend, time.Hour, suspended, Suspended},
			{"answered", answered200, time.Hour, arm, Suspended},
			{"resume", resume(0), time.Hour + 1, resumed, Running},
		},
		"suspend before run, refused": {
			{"suspend", suspend, 0, suspended, Suspended},
			{"503", answeredOther, 1, Decision{Watch: WatchDisarm, Warn: warnRefused}, Waiting},
		},
		"watchdog": {
			{"run", run("a"), 0, firstRun, Running},
			{"suspend", suspend, 1, suspended, Suspended},
			{"answered", answered200, 2, arm, Suspended},
			{"late fire of an older one", lateWatchdogFire, 3, nothing, Suspended},
			{"fires", watchdogFired, 30 * time.Second, Decision{Beat: BeatStart, Watch: WatchDisarm, Warn: warnWatchdog}, Running},
			{"fires twice", watchdogFired, 31 * time.Second, nothing, Running},
			{"resume after all is counted, the beat is fresh", resume(time.Second), 31 * time.Second, Decision{Event: true, Watch: WatchDisarm}, Running},
		},
		"a late answer does not undo a newer hook": {
			{"run", run("a"), 0, firstRun, Running},
			{"suspend", suspend, 1, suspended, Suspended},
			{"resume", resume(0), 2, resumed, Running},
			{"answer of the suspend", lateAnswer, 3, nothing, Running},
			{"suspend", suspend, 4, suspended, Suspended},
			{"second suspend", suspend, 5, again, Suspended},
			{"answer of the first", lateAnswer, 6, nothing, Suspended},
			{"answer of the second", answered200, 7, arm, Suspended},
		},
		"case 26: terminate is the last word": {
			{"run", run("a"), 0, firstRun, Running},
			{"terminate", terminate, 1, terminated, Terminated},
			{"terminate again", terminate, 2, again, Terminated},
			{"resume", resume(time.Hour), 3, Decision{Warn: warnLateResume, Odd: OddHookAfterEnd}, Terminated},
			{"run", run("b"), 4, Decision{Warn: warnLateRun, Odd: OddHookAfterEnd}, Terminated},
			{"suspend", suspend, 5, Decision{Beat: BeatHalt, Odd: OddHookAfterEnd}, Terminated},
			{"its answer", answeredOther, 6, nothing, Terminated},
			{"answer of the terminate", terminateAnswered, 6, arm, Terminated},
			{"watchdog", watchdogFired, 7, Decision{Warn: warnOutlived, Odd: OddOutlived}, Terminated},
			{"late answer of an older terminate", func(m *Machine, _ time.Time) Decision { return m.TerminateAnswered(m.Epoch() - 1) }, 7, nothing, Terminated},
			{"freeze", frozen, 8, nothing, Terminated},
			{"ready", ready, 8, nothing, Terminated},
			{"validate", validate, 8, Decision{Event: true}, Terminated},
		},
		"validate on a test machine": {
			{"before run", validate, 0, Decision{Event: true, Watch: WatchDisarm}, Waiting},
			{"run", run("a"), 1, firstRun, Running},
			{"after run", validate, 2, Decision{Event: true, Beat: BeatHalt, Watch: WatchDisarm, Warn: warnValidated, Odd: OddValidateAfterRun}, Waiting},
			{"retried", validate, 3, Decision{Event: true, Watch: WatchDisarm}, Waiting},
			{"run repeated", run("a"), 4, duplicate, Running},
			{"suspend", suspend, 5, suspended, Suspended},
			{"while suspended", validate, 6, Decision{Event: true, Beat: BeatHalt, Watch: WatchDisarm, Warn: warnValidated, Odd: OddValidateAfterRun}, Waiting},
			{"resume needs no warning", resume(0), 7, resumed, Running},
		},
		"restored, but no hook follows": {
			{"freeze", frozen, 0, arm, Waiting},
			{"fires", watchdogFired, 30 * time.Second, Decision{Warn: warnNoRun, Odd: OddNoRun}, Waiting},
			{"frozen again", frozen, time.Minute, arm, Waiting},
			{"an image is being built", ready, time.Minute, Decision{Watch: WatchDisarm}, Waiting},
			{"frozen again", frozen, 2 * time.Minute, arm, Waiting},
			{"fire of the one before", lateWatchdogFire, 2 * time.Minute, nothing, Waiting},
			{"run", run("a"), 2 * time.Minute, firstRun, Running},
			{"late fire", lateWatchdogFire, 3 * time.Minute, nothing, Running},
			{"a running machine may freeze", frozen, time.Hour, nothing, Running},
			{"no fire without a watch", watchdogFired, time.Hour, nothing, Running},
			{"ready has nothing to say", ready, time.Hour, nothing, Running},
		},
	}
	for name, steps := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var m Machine
			require.Equal(t, Waiting, m.Phase())
			for _, s := range steps {
				require.Equal(t, s.want, s.do(&m, t0.Add(s.at)), s.name)
				require.Equal(t, s.phase, m.Phase(), s.name)
			}
		})
	}
}

// TestMachineModel plays random sequences and obeys the decisions as the server
// does. What must hold is stated without the machine's own rules.
func TestMachineModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var (
			m          Machine
			now        = t0
			beating    bool
			armed      bool
			armedEpoch uint64
			id         string // the last id before terminate
			over       bool   // terminate was seen
			anyRun     bool
			lastBeat   time.Time
			events     = map[string]int{}
			calls      = map[string]int{}
			pending    []uint64 // suspends not answered yet
		)
		obey := func(hook string, d Decision) {
			if d.Event {
				events[hook]++
			}
			switch d.Watch {
			case WatchKeep:
			case WatchArm:
				armed, armedEpoch = true, m.Epoch()
			case WatchDisarm:
				armed = false
			}
			switch d.Beat {
			case BeatKeep:
			case BeatStart:
				if !beating {
					lastBeat = now
				}
				beating = true
			case BeatNow:
				require.True(t, beating, "a sample out of turn from a stopped heartbeat")
				lastBeat = now
			case BeatHalt:
				beating = false
			}
			if over {
				require.Empty(t, d.Identity)
			}
		}
		ids := rapid.SampledFrom([]string{"", "a", "b"})
		t.Repeat(map[string]func(*rapid.T){
			"run": func(t *rapid.T) {
				got := ids.Draw(t, "id")
				d := m.Run(got, now)
				if !over {
					require.Equal(t, got != "" && got != id, d.Identity != "")
					require.Equal(t, d.Identity != "" || !anyRun, d.Event, "once per id")
					anyRun = true
					if got != "" {
						id = got
					}
				}
				calls["run"]++
				obey("run", d)
			},
			"resume": func(*rapid.T) {
				calls["resume"]++
				obey("resume", m.Resume(now, lastBeat))
			},
			"suspend": func(*rapid.T) {
				calls["suspend"]++
				before := m.Phase()
				d := m.Suspend(now)
				require.False(t, d.Event && (before == Suspended || before == Terminated))
				obey("suspend", d)
				pending = append(pending, m.Epoch())
			},
			"answer": func(t *rapid.T) {
				if len(pending) == 0 {
					t.Skip("no suspend in progress")
				}
				i := rapid.IntRange(0, len(pending)-1).Draw(t, "which")
				epoch := pending[i]
				pending = append(pending[:i], pending[i+1:]...)
				obey("answer", m.SuspendAnswered(epoch, rapid.Bool().Draw(t, "ok")))
			},
			"watchdog": func(t *rapid.T) {
				if !armed {
					t.Skip("not armed")
				}
				armed = false
				d := m.WatchdogFired(armedEpoch)
				require.False(t, anyRun && d.Odd == OddNoRun)
				require.Equal(t, over && armedEpoch == m.Epoch(), d.Odd == OddOutlived)
				obey("watchdog", d)
			},
			"freeze": func(*rapid.T) { obey("freeze", m.FreezeNoticed()) },
			"ready":  func(*rapid.T) { obey("ready", m.Ready()) },
			"validate": func(*rapid.T) {
				calls["validate"]++
				wasOn := m.Phase() == Running || m.Phase() == Suspended
				d := m.Validate()
				require.Equal(t, wasOn, d.Odd == OddValidateAfterRun)
				obey("validate", d)
			},
			"terminate": func(t *rapid.T) {
				if rapid.IntRange(0, 4).Draw(t, "rarely") != 0 {
					t.Skip("not yet")
				}
				calls["terminate"]++
				obey("terminate", m.Terminate())
				over = true
				if rapid.Bool().Draw(t, "answered") {
					obey("answer", m.TerminateAnswered(m.Epoch()))
				}
			},
			"time passes": func(t *rapid.T) {
				now = now.Add(time.Duration(rapid.IntRange(-100, 1000).Draw(t, "s")) * time.Second)
			},
			"": func(t *rapid.T) {
				require.Equal(t, m.Phase() == Running, beating, "the heartbeat runs in phase running and only there")
				require.Equal(t, id, m.ID())
				require.Equal(t, over, m.Phase() == Terminated)
				require.False(t, armed && m.Phase() == Running, "a running machine is not watched")
				require.LessOrEqual(t, events["terminate"], 1)
				require.Equal(t, calls["validate"], events["validate"])
				require.Equal(t, over, events["terminate"] == 1)
				for _, hook := range []string{"run", "resume", "suspend"} {
					require.LessOrEqual(t, events[hook], calls[hook])
				}
			},
		})
	})
}
