package simulate

import (
	"time"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// doubled is the distance below which two heartbeats of one machine, far from
// any hook, cannot come from one loop: the shortest cadence is 10 s less 5 % of
// jitter (specification section 3.4), and either may be held back by the metrics
// client.
const doubled = 5 * time.Second

// meteringRules are about the heartbeat itself (specification sections 2.3, 3
// and 4.3); none applies to an image that sends none.
func meteringRules() []rule {
	return []rule{
		{
			id: "silent-build", row: "3.4", text: "no heartbeat before run: building an image is no instance", agent: true,
			fix:   "start the heartbeat in run, not at start",
			judge: judgeSilentBuild,
		},
		{
			id: "first-heartbeat", row: "3.4", text: "run is followed by a heartbeat with its id", agent: true,
			fix: "emit at once: a machine that lives shorter than one interval counts too",
			judge: func(v *view, f *finding) {
				v.each(func(i int, c placed) {
					if c.Hook == lifecycle.Run && c.ID != "" && c.OK() && c.Kind == Proper {
						v.follows(f, i, "after run")
					}
				}, ordinary)
			},
		},
		{
			id: "resumed-heartbeat", row: "3.4", text: "resume after suspend is followed by a heartbeat", agent: true,
			fix: "restart the loop in resume, and emit at once",
			judge: func(v *view, f *finding) {
				v.each(func(i int, c placed) {
					if c.Hook == lifecycle.Resume && c.OK() && v.idAfter(i) != "" {
						v.follows(f, i, "after resume")
					}
				}, ordinary)
			},
		},
		{
			id: "silent-suspended", row: "3.5", text: "no heartbeat between an answered suspend and the next resume", agent: true,
			fix:   "stop the loop and flush what it emitted before suspend is answered",
			judge: judgeSilentSuspended,
		},
		{
			id: "silent-terminated", row: "3.5", text: "no heartbeat after an answered terminate", agent: true,
			fix:   "stop the loop for good before terminate is answered",
			judge: judgeSilentTerminated,
		},
		{
			id: "own-id", row: "3.3", text: "every heartbeat has the id its machine was given; never \"unknown\", never another's", agent: true,
			fix:   "keep the heartbeat back until the id is known, and nothing of it on disk: clones share both",
			judge: judgeOwnID,
		},
		{
			id: "one-loop", row: "3.5", text: "there is one heartbeat loop", agent: true,
			fix:   "one owner starts and stops the loop; a start that finds one running does nothing",
			judge: judgeOneLoop,
		},
		{
			id: "flushed", row: "4.3", text: "what suspend and terminate count is on the wire before they are answered", agent: true,
			fix:   "flush the metrics client in the hook, its open aggregation interval included: the machine may never execute again",
			judge: judgeFlushed,
		},
		{
			id: "oversize-run", row: "2.3", text: "a run body above 1 MiB is refused and changes nothing", agent: true,
			fix:   "read the body completely, with a cap, before acting on it",
			judge: judgeOversize,
		},
	}
}

func judgeSilentBuild(v *view, f *finding) {
	started := map[int]time.Duration{}
	machines := map[int]bool{}
	for _, c := range v.calls {
		machines[c.Machine] = true
		if _, ok := started[c.Machine]; !ok && c.Kind <= Oversize && c.Hook == lifecycle.Run {
			started[c.Machine] = c.Sent
		}
	}
	for machine := range len(machines) {
		until, ok := started[machine]
		if !ok {
			until = v.gone(machine)
		}
		v.silent(f, machine, 0, until, "before run")
	}
}

func judgeSilentSuspended(v *view, f *finding) {
	for i, c := range v.calls {
		if c.Hook != lifecycle.Suspend || !c.OK() || c.situation != ordinary && c.situation != duplicateSuspend {
			continue
		}
		from := c.Answered() + v.policy.grace
		end := v.next(i, lifecycle.Run, lifecycle.Resume, lifecycle.Suspend)
		// The watchdog ends the silence of a machine that goes on executing.
		watchdog := from + watchdogFrom
		watchdog += v.frozen(c.Machine, from, end)
		v.silent(f, c.Machine, from, min(end, watchdog), c.Step)
	}
}

func judgeSilentTerminated(v *view, f *finding) {
	for _, c := range v.calls {
		if c.Hook == lifecycle.Terminate && c.situation == ordinary && c.OK() {
			v.silent(f, c.Machine, c.Answered()+v.policy.grace, v.gone(c.Machine), c.Step)
		}
	}
}

func judgeOwnID(v *view, f *finding) {
	given := map[int]map[string]bool{}
	for _, c := range v.calls {
		if c.situation != foreign && c.Hook == lifecycle.Run && c.ID != "" {
			if given[c.Machine] == nil {
				given[c.Machine] = map[string]bool{}
			}
			given[c.Machine][c.ID] = true
		}
	}
	for _, beat := range v.beats {
		id := beat.Tag(tagID)
		f.check(given[beat.Machine][id], "machine %d sent a heartbeat with %s:%s, an id it was never given", beat.Machine, tagID, id)
	}
}

func judgeOneLoop(v *view, f *finding) {
	for i, beat := range v.beats {
		for _, later := range v.beats[i+1:] {
			if later.Machine != beat.Machine || later.Tag(tagID) != beat.Tag(tagID) {
				continue
			}
			if !v.disturbed(beat.Machine, beat.At-v.policy.window, later.At) {
				f.check(later.At-beat.At >= doubled, "two heartbeats of %s arrived %s apart, and no hook explains it", beat.Tag(tagID), round(later.At-beat.At))
			}
			break
		}
	}
}

// disturbed reports that a hook was in progress or a freeze happened within
// [from, to]: either explains a heartbeat out of its turn.
func (v *view) disturbed(machine int, from, to time.Duration) bool {
	for _, c := range v.calls {
		if c.Machine == machine && c.Sent <= to && c.Answered() >= from {
			return true
		}
	}
	return v.frozen(machine, from, to) > 0
}

func judgeFlushed(v *view, f *finding) {
	if !v.policy.events {
		return
	}
	v.each(func(_ int, c placed) {
		if c.Hook != lifecycle.Suspend && c.Hook != lifecycle.Terminate || !c.OK() || v.gone(c.Machine) < c.Answered() {
			return
		}
		n := v.events(c.Machine, c.Hook, "", c.Sent, c.Answered()+v.policy.grace)
		f.check(n > 0, "%s: its event had not left the machine when it was answered", c.Step)
	}, ordinary)
}

func judgeOversize(v *view, f *finding) {
	for _, c := range v.calls {
		if c.Kind != Oversize {
			continue
		}
		f.check(c.Status >= 300, "%s", spoken(c.Call))
		for _, beat := range v.beatsIn(c.Machine, c.Sent, forever) {
			f.check(beat.Tag(tagID) != c.ID, "%s: a heartbeat with its id %s arrived", c.Step, c.ID)
		}
	}
}
