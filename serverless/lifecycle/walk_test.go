package lifecycle_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/forward"
	"github.com/vigil-agent/vigil/serverless/heartbeat"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// story is what specification section 2.5 says must have come out of the hooks so
// far: every sample and every event, in order. It tells the heartbeat by a wish
// and a due time.
type story struct {
	lines []string

	id       string
	beating  bool
	due      time.Time // of the coming tick
	lastBeat time.Time

	ran, over bool
	asleep    bool      // suspended, as far as anybody knows
	wasBeat   bool      // before that suspend
	presumed  bool      // the latest suspend turned out to have no effect
	counted   time.Time // the latest counted run or resume
	slept     time.Time // the latest counted suspend
	watchdog  time.Time // zero: not armed
}

func (s *story) event(hook string) {
	tag := ""
	if s.id != "" {
		tag = "lambda_microvm_id:" + s.id
	}
	s.lines = append(s.lines, "event "+hook+"=1@1 "+tag)
}

func (s *story) beat(now time.Time) {
	s.due = now.Add(heartbeat.DefaultInterval)
	if s.id != "" {
		s.lastBeat = now
		s.lines = append(s.lines, beatOf(s.id))
	}
}

func (s *story) start(now time.Time) {
	if !s.beating {
		s.beating = true
		s.beat(now)
	}
}

// awake is what every run or resume that counts leads to.
func (s *story) awake(now time.Time) { s.counted, s.asleep, s.presumed = now, false, false }

func (s *story) run(id string, now time.Time) {
	if s.over {
		return
	}
	fresh := id != "" && id != s.id
	if fresh {
		s.id = id
		if s.beating {
			s.beat(now)
		}
	}
	s.start(now)
	if fresh || !s.ran {
		s.event("run")
	}
	s.ran, s.watchdog = true, time.Time{}
	s.awake(now)
}

func (s *story) resume(now time.Time) {
	if s.over {
		return
	}
	s.watchdog = time.Time{}
	counts := !s.beating || s.presumed || now.Sub(s.counted) > lifecycle.StaleAfter
	if s.beating && now.Sub(s.lastBeat) > lifecycle.StaleAfter {
		s.beat(now)
	}
	s.start(now)
	if counts {
		s.event("resume")
		s.awake(now)
	}
}

func (s *story) suspend(ok bool, now time.Time) {
	if s.over {
		return
	}
	if !s.asleep {
		if !s.presumed || now.Sub(s.slept) > lifecycle.StaleAfter {
			s.event("suspend")
			s.slept = now
		}
		s.wasBeat, s.asleep, s.presumed = s.beating, true, false
	}
	s.beating = false
	s.watchdog = now.Add(lifecycle.WatchdogAfter)
	if !ok {
		s.noEffect(now)
	}
}

// noEffect is the end of a suspend that was refused, or that nothing followed.
func (s *story) noEffect(now time.Time) {
	s.watchdog, s.asleep, s.presumed = time.Time{}, false, true
	if s.wasBeat {
		s.start(now)
	}
}

func (s *story) validate() {
	s.event("validate")
	if s.over {
		return
	}
	if s.beating || s.asleep {
		// Whatever it was, now it is a machine that tests an image.
		s.beating, s.asleep = false, false
	}
	s.watchdog = time.Time{}
}

func (s *story) terminate() {
	if !s.over {
		s.event("terminate")
	}
	s.beating, s.asleep, s.over, s.watchdog = false, false, true, time.Time{}
}

// pass lets the time go by until then, exclusively of nothing.
func (s *story) pass(until time.Time) {
	for {
		tick, dog := until.Add(1), until.Add(1)
		if s.beating {
			tick = s.due
		}
		if !s.watchdog.IsZero() {
			dog = s.watchdog
		}
		switch {
		case !dog.After(until) && dog.Before(tick):
			s.noEffect(dog)
		case !tick.After(until):
			s.beat(tick)
		default:
			return
		}
	}
}

// TestRandomWalk plays a hundred thousand random hooks and pauses on real servers
// with real heartbeats and compares everything that they emit.
func TestRandomWalk(t *testing.T) {
	t.Parallel()
	const walks, lives, steps = 2, 1000, 50 // 100,000 in all
	for walk := range walks {
		t.Run(fmt.Sprint(walk), func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, uint64(walk)))
			var refuse atomic.Bool
			app := newApp(t, func(w http.ResponseWriter, _ *http.Request) {
				if refuse.Load() {
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			})
			for i := range lives {
				player := &player{random: random}
				if i%4 == 0 {
					player.app, player.refuse = app, &refuse
				}
				synctest.Test(t, func(t *testing.T) { player.live(t, steps) })
			}
		})
	}
}

// player plays one life.
type player struct {
	random *rand.Rand
	app    *forward.Client // answers suspend, if not nil
	refuse *atomic.Bool    // with 503
}

func (p *player) live(t *testing.T, steps int) {
	t.Helper()
	random := p.random
	r := build(t, func(s *setup, _ *rig) {
		s.deps.Log, s.deps.OnIdentity, s.deps.Flushers = nil, nil, nil
		s.deps.App, s.cfg.Forward = p.app, lifecycle.HookSet{lifecycle.Suspend: true}
	})
	want := &story{}
	// Sums of these do not meet the watchdog, the interval or each other.
	pauses := []time.Duration{0, 1130 * time.Millisecond, 7370 * time.Millisecond, 41 * time.Second, 331 * time.Second}
	var played []string
	seen := 0 // lines compared so far
	for range steps {
		pause := pauses[random.IntN(len(pauses))]
		time.Sleep(pause)
		want.pass(time.Now())
		now, call, answer := time.Now(), "", http.StatusOK
		switch n := random.IntN(100); {
		case n < 25:
			id := []string{"", "vm-1", "vm-1", "vm-1", "vm-2"}[random.IntN(5)]
			call = strings.TrimSpace("run " + id)
			want.run(id, now)
		case n < 55:
			call = "resume"
			want.resume(now)
		case n < 85:
			call = "suspend"
			if p.app != nil {
				p.refuse.Store(random.IntN(3) == 0)
				if p.refuse.Load() {
					answer = http.StatusServiceUnavailable
				}
			}
			want.suspend(answer == http.StatusOK, now)
		case n < 92:
			call = "validate"
			want.validate()
		case n < 98:
			call = "ready"
			if !want.ran && !want.asleep && !want.beating {
				want.watchdog = time.Time{}
			}
		default:
			if random.IntN(2) == 0 {
				call = "terminate"
				want.terminate()
			} else {
				call = "run" // with an empty object
				want.run("", now)
			}
		}
		played = append(played, fmt.Sprint(pause, " ", call, " ", answer))
		hook, id, _ := strings.Cut(call, " ")
		body := "{}"
		if id != "" {
			body = `{"microvmId":"` + id + `"}`
		}
		status, _ := r.hook(hook, body)
		if call != "ready" {
			require.Equal(t, answer, status, call)
		}
		synctest.Wait()
		// A sample and an event of one moment have no order.
		got, expect := r.of("beat", "event")[seen:], slices.Clone(want.lines[seen:])
		slices.Sort(got)
		slices.Sort(expect)
		require.True(t, slices.Equal(expect, got), "after %v: want %q, got %q", played, expect, got)
		seen = len(want.lines)
		require.Equal(t, want.beating, r.srv.Phase() == lifecycle.Running, "after %v", played)
		require.Equal(t, want.id, r.srv.ID(), "after %v", played)
	}
}
