package simulate

import (
	"time"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// watchdogFrom is the execution after a suspend during which the heartbeat must
// be silent: the watchdog's 30 s, less a second for the clocks of two processes.
const watchdogFrom = lifecycle.WatchdogAfter - time.Second

// maxAfterWake is how many heartbeats may follow a freeze that no suspend
// announced: a tick that was due, and one that falls due meanwhile.
const maxAfterWake = 2

// sequenceRules are the rows of specification section 2.5. The answer is judged
// for every image, the metering for those that send heartbeats.
func sequenceRules() []rule {
	return []rule{
		{
			id: "duplicate-run", row: "2.5", text: "run with the same id again: 200, counted once",
			fix:   "make run idempotent for an id it knows; the platform may deliver it twice",
			judge: judgeDuplicateRun,
		},
		{
			id: "second-id", row: "2.5", text: "run with a new id: 200, the new id at once and the old one never again",
			fix:   "replace the id wherever it is kept: tags, caches, connection metadata",
			judge: judgeSecondID,
		},
		{
			id: "run-without-id", row: "2.5", text: "run without an id: 200, silent until an id arrives", agent: true,
			fix:   "a body without an id is no error; keep the heartbeat back until there is one",
			judge: judgeWithoutID,
		},
		{
			id: "resume-before-run", row: "2.5", text: "resume before run: 200, silent",
			fix:   "with a disabled run hook, resume is the first one to arrive: answer it",
			judge: judgeResumeBeforeRun,
		},
		{
			id: "resume-while-running", row: "2.5", text: "resume while running: 200, and a heartbeat when the latest is older than 30 s",
			fix:   "an unannounced suspend looks like this: emit at once if the latest sample is old",
			judge: judgeResumeWhileRunning,
		},
		{
			id: "duplicate-suspend", row: "2.5", text: "suspend again: 200, flushed again, counted once",
			fix:   "the platform retries suspend: count the transition, not the call",
			judge: judgeDuplicate(duplicateSuspend, lifecycle.Suspend),
		},
		{
			id: "duplicate-terminate", row: "2.5", text: "terminate again: 200, flushed again, counted once",
			fix:   "the platform retries terminate: stay up and answer until the machine is gone",
			judge: judgeDuplicate(duplicateTerminate, lifecycle.Terminate),
		},
		{
			id: "resume-after-terminate", row: "2.5", text: "resume after terminate: 200, and nothing starts again",
			fix: "latch terminate; the one after it may come from anything inside the machine that reaches the port",
			judge: func(v *view, f *finding) {
				v.each(func(_ int, c placed) {
					f.answered(c.Call)
					if v.policy.metered {
						v.silent(f, c.Machine, c.Sent, v.gone(c.Machine), c.Step)
					}
				}, afterTerminate)
			},
		},
		{
			id: "overlap", row: "2.5", text: "suspend and resume overlapping: both 200, and the last one counts",
			fix:   "let hooks run side by side and order their effects; a resume dropped while a suspend ends leaves the machine uncounted",
			judge: judgeOverlap,
		},
		{
			id: "suspend-refused", row: "2.5", text: "a suspend not answered with 200 leaves the heartbeat running", agent: true,
			fix: "restart the heartbeat when the suspend failed: the machine keeps running and no resume follows",
			judge: func(v *view, f *finding) {
				for i, c := range v.calls {
					if c.Kind == Proper && c.Hook == lifecycle.Suspend && !c.OK() && v.idAfter(i) != "" && c.situation == ordinary {
						v.follows(f, i, "after a suspend without effect")
					}
				}
			},
		},
		{
			id: "watchdog", row: "2.5, 3.6", text: "30 s of execution after an answered suspend start the heartbeat again", agent: true,
			fix:   "arm a timer when suspend is answered: code that executes is proof that the machine runs",
			judge: judgeWatchdog,
		},
		{
			id: "missing-suspend", row: "2.5, 3.6", text: "a freeze without suspend is followed by no burst of heartbeats", agent: true,
			fix:   "use a ticker that drops missed ticks, and none that is set by wall-clock deadlines",
			judge: judgeMissingSuspend,
		},
	}
}

func judgeDuplicateRun(v *view, f *finding) {
	v.each(func(_ int, c placed) {
		f.answered(c.Call)
		if v.policy.metered && c.ID != "" {
			n := v.events(c.Machine, lifecycle.Run, c.ID, 0, forever)
			f.check(n <= 1, "%s: %v run events of %s were counted", c.Step, n, c.ID)
		}
	}, duplicateRun)
}

func judgeSecondID(v *view, f *finding) {
	v.each(func(i int, c placed) {
		f.answered(c.Call)
		if !v.policy.metered {
			return
		}
		v.follows(f, i, "after the new id")
		from := c.Answered() + v.policy.window
		from += v.frozen(c.Machine, c.Sent, from)
		for _, beat := range v.beatsIn(c.Machine, from, v.next(i, lifecycle.Run)) {
			f.check(beat.Tag(tagID) == c.ID, "%s: a heartbeat %s later still had the id %q", c.Step, round(beat.At-c.Answered()), beat.Tag(tagID))
		}
	}, newID)
}

func judgeWithoutID(v *view, f *finding) {
	v.each(func(i int, c placed) {
		f.answered(c.Call)
		if v.idAfter(i) == "" {
			v.silent(f, c.Machine, c.Sent, v.nextID(i), c.Step)
		}
	}, withoutID)
}

// nextID is when the next run with an id was sent to the machine of call i.
func (v *view) nextID(i int) time.Duration {
	for _, c := range v.calls[i+1:] {
		if c.Machine == v.calls[i].Machine && c.Kind == Proper && c.Hook == lifecycle.Run && c.ID != "" {
			return c.Sent
		}
	}
	return v.gone(v.calls[i].Machine)
}

func judgeResumeBeforeRun(v *view, f *finding) {
	v.each(func(i int, c placed) {
		f.answered(c.Call)
		if v.policy.metered {
			v.silent(f, c.Machine, c.Sent, v.nextID(i), c.Step)
		}
	}, resumeBeforeRun)
}

func judgeResumeWhileRunning(v *view, f *finding) {
	v.each(func(i int, c placed) {
		f.answered(c.Call)
		if !v.policy.metered || v.idAfter(i) == "" {
			return
		}
		// The sample may be older than its arrival says, never younger.
		if recent := v.beatsIn(c.Machine, c.Sent-lifecycle.StaleAfter, c.Sent); len(recent) == 0 && c.Sent > lifecycle.StaleAfter {
			v.follows(f, i, "although the latest one was older than 30 s")
		}
	}, resumeWhileRunning)
}

func judgeDuplicate(in situation, h lifecycle.Hook) func(*view, *finding) {
	return func(v *view, f *finding) {
		v.each(func(i int, c placed) {
			f.answered(c.Call)
			if !v.policy.metered {
				return
			}
			// The transition began with the latest call of the hook in its turn.
			from := time.Duration(0)
			for _, earlier := range v.calls[:i] {
				if earlier.Machine == c.Machine && earlier.Hook == h && earlier.situation == ordinary {
					from = earlier.Sent
				}
			}
			n := v.events(c.Machine, h, "", from, v.next(i, h, lifecycle.Resume))
			f.check(n <= 1, "%s: %v %s events were counted for one transition", c.Step, n, h)
		}, in)
	}
}

func judgeOverlap(v *view, f *finding) {
	first := forever
	v.each(func(_ int, c placed) {
		f.answered(c.Call)
		first = min(first, c.Sent)
	}, overlapping)
	if !v.policy.metered {
		return
	}
	// The resume that follows in its turn settles what the machine is: running.
	for i, c := range v.calls {
		if c.Sent <= first || c.Hook != lifecycle.Resume || c.situation == overlapping || c.situation == foreign {
			continue
		}
		if beats := v.beatsIn(c.Machine, first, c.Answered()); len(beats) > 0 {
			f.check(true, "")
			return
		}
		v.follows(f, i, "although the last hook after an overlap was resume")
		return
	}
}

func judgeWatchdog(v *view, f *finding) {
	for i, c := range v.calls {
		if c.situation != ordinary || c.Hook != lifecycle.Suspend || !c.OK() || v.idAfter(i) == "" {
			continue
		}
		end := v.next(i, lifecycle.Run, lifecycle.Resume, lifecycle.Suspend, lifecycle.Terminate, lifecycle.Validate)
		from := c.Answered()
		executed := end - from - v.frozen(c.Machine, from, end)
		switch {
		case len(v.beatsIn(c.Machine, from+watchdogFrom, end)) > 0:
			f.check(true, "")
		case executed >= lifecycle.WatchdogAfter+v.policy.window:
			f.check(false, "%s: the machine executed for %s, and no heartbeat came back", c.Step, round(executed))
		} // else it did not execute long enough
	}
}

func judgeMissingSuspend(v *view, f *finding) {
	for _, z := range v.Freezes {
		if !v.runningAt(z) {
			continue
		}
		n := len(v.beatsIn(z.Machine, z.To, z.To+v.policy.window))
		f.check(n <= maxAfterWake, "%d heartbeats arrived within %s after a freeze of %s", n, round(v.policy.window), round(z.To-z.From))
	}
}

// runningAt reports that the freeze came while the machine was running with an
// id, as far as the hooks before it tell.
func (v *view) runningAt(z Freeze) bool {
	var l lifeline
	for i := range v.Calls {
		if c := &v.Calls[i]; c.Machine == z.Machine && c.Kind <= Malformed && c.Sent < z.From {
			l.follow(c)
		}
	}
	return l.phase == lifecycle.Running && l.id != ""
}
