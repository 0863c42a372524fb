package simulate

import (
	"slices"
	"strings"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// contractRules are what the platform asks of every image, with or without an
// agent (specification sections 2.1 and 2.2).
func contractRules() []rule {
	return []rule{
		{
			id: "reachable", row: "2.1", text: "the hook port is open to other hosts, not on loopback alone",
			fix:   "bind all interfaces, as in \":9000\"; the platform cannot reach 127.0.0.1",
			judge: judgeReachable,
		},
		{
			id: "ready", row: "2.2", text: "ready answers 503 while the image starts and 200 in time",
			fix:   "answer 503 at once while starting: any other status fails the image build; raise the hook's timeout in the manifest (and --timeout ready=…) if the start needs longer; --output shows what the entrypoint prints",
			judge: judgeBuildHook(lifecycle.Ready),
		},
		{
			id: "validate", row: "2.2", text: "validate answers 200 (503 asks for a retry) in time",
			fix:   "answer 200, or 503 to be asked again; any other status, 504 too, fails the image build",
			judge: judgeBuildHook(lifecycle.Validate),
		},
		{
			id: "run", row: "2.2", text: "run is answered with 200 in time",
			fix:   "a failed run can fail the launch or end the machine: do slow work after the answer",
			judge: judgeInOrder(lifecycle.Run),
		},
		{
			id: "resume", row: "2.2", text: "resume is answered with 200 in time",
			fix:   "a slow resume is a proxy error for the caller: reconnect lazily, after the answer",
			judge: judgeInOrder(lifecycle.Resume),
		},
		{
			id: "suspend", row: "2.2", text: "suspend is answered with 200 in time",
			fix:   "without a 200 the machine is not suspended and keeps running and costing, and no resume follows: bound the work of the hook",
			judge: judgeInOrder(lifecycle.Suspend),
		},
		{
			id: "terminate", row: "2.2", text: "terminate is answered with 200 in time",
			fix:   "the machine dies anyway and what was not saved is lost: bound the work of the hook and save first what matters",
			judge: judgeInOrder(lifecycle.Terminate),
		},
		{
			id: "post-only", row: "2.2", text: "a hook's path refuses every method but POST (405)",
			fix: "check the method before anything else, or a health checker's GET ends a machine",
			judge: func(v *view, f *finding) {
				judgeRefused(v, f, WrongMethod)
			},
		},
		{
			id: "other-paths", row: "2.2", text: "other paths are refused (404), a trailing slash too",
			fix: "match paths exactly",
			judge: func(v *view, f *finding) {
				judgeRefused(v, f, WrongPath)
			},
		},
		{
			id: "freeze", row: "3.6", text: "the first hook after a freeze is answered with 200 in time",
			fix: "expect dead connections and a clock that has jumped after a restore; use no timer that fires once for every missed tick",
			judge: func(v *view, f *finding) {
				for _, c := range v.calls {
					if c.thawed && c.situation != foreign {
						f.answered(c.Call)
					}
				}
			},
		},
		{
			id: "survives", row: "2.2", text: "the entrypoint runs until the platform ends it",
			fix:   "no hook may end the process, terminate neither: the platform does it",
			judge: judgeSurvives,
		},
		{
			id: "sigterm", row: "4.1", text: "SIGTERM ends the entrypoint and everything it started",
			fix:   "handle SIGTERM, pass it on to children and wait for them; as PID 1 there is no default handler",
			judge: judgeStop,
		},
		{
			id: "expectations", row: "-", text: "the answers are what the scenario itself expects",
			fix:   "see the expect line of the scenario",
			judge: judgeExpectations,
		},
	}
}

func judgeReachable(v *view, f *finding) {
	if v.policy.loopback {
		return
	}
	for _, l := range v.Listens {
		f.check(l.Outside, "it listens on %s only", strings.Join(l.Addresses, " and "))
	}
}

func judgeBuildHook(h lifecycle.Hook) func(*view, *finding) {
	return func(v *view, f *finding) {
		for _, c := range v.calls {
			if c.Hook == h && (c.situation == ordinary || c.situation == overlapping) {
				f.answered(c.Call)
			}
		}
	}
}

// judgeInOrder leaves the calls out that a rule of their own judges.
func judgeInOrder(h lifecycle.Hook) func(*view, *finding) {
	return func(v *view, f *finding) {
		for _, c := range v.calls {
			if c.Hook == h && c.situation == ordinary && !c.thawed {
				f.answered(c.Call)
			}
		}
	}
}

func judgeRefused(v *view, f *finding, kind Kind) {
	for _, c := range v.calls {
		if c.Kind == kind && c.Expect.Status == 0 {
			f.check(c.Status >= 400, "%s", spoken(c.Call))
		}
	}
}

func judgeSurvives(v *view, f *finding) {
	for _, e := range v.Exits {
		f.check(e.Cause != Itself, "it ended by itself with code %d, %s after the beginning", e.Code, round(e.At))
	}
}

func judgeStop(v *view, f *finding) {
	for _, e := range v.Exits {
		if e.Cause != Stopped {
			continue
		}
		f.check(!e.Late, "it did not end within %s", round(v.policy.stop))
		if !e.Late {
			f.check(len(e.Left) == 0, "these processes outlived it: %s", strings.Join(e.Left, ", "))
		}
	}
}

func judgeExpectations(v *view, f *finding) {
	for _, c := range v.calls {
		if c.Expect.Status != 0 {
			f.check(c.Status == c.Expect.Status, "%s, not %d", spoken(c.Call), c.Expect.Status)
		}
		if c.Expect.Within != 0 {
			f.check(c.Status != 0 && c.Took <= c.Expect.Within, "%s, not within %s", spoken(c.Call), c.Expect.Within)
		}
	}
}

// each calls do for every call in one of the situations.
func (v *view) each(do func(i int, c placed), in ...situation) {
	for i, c := range v.calls {
		if slices.Contains(in, c.situation) {
			do(i, c)
		}
	}
}
