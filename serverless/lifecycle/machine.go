package lifecycle

import "time"

// Phase is where in its life the machine is, as far as the hooks tell.
type Phase uint8

// The phases. The heartbeat is wanted in Running and only there.
const (
	Waiting Phase = iota
	Running
	Suspended
	Terminated
)

// String is the phase's name in status and logs.
func (p Phase) String() string {
	return [...]string{"waiting", "running", "suspended", "terminated"}[p]
}

// BeatOrder is what a decision wants of the heartbeat.
type BeatOrder uint8

// The orders to the heartbeat.
const (
	BeatKeep BeatOrder = iota
	BeatStart
	BeatNow // one sample out of turn
	BeatHalt
)

// WatchOrder is what a decision wants of the post-suspend watchdog.
type WatchOrder uint8

// The orders to the watchdog.
const (
	WatchKeep WatchOrder = iota
	WatchArm
	WatchDisarm
)

// Decision is what has to be done about a hook.
type Decision struct {
	// Identity is the instance id when it is new, else empty.
	Identity string
	// Event asks for the hook's event metric.
	Event bool
	Beat  BeatOrder
	Watch WatchOrder
	// Warn is worth a warning when not empty.
	Warn string
	// Odd is what is counted because it should not happen.
	Odd Oddity
}

// StaleAfter is the wall-clock age beyond which a hook that looks like a
// duplicate is taken for a new transition, and beyond which a resume wants a
// sample at once. It is below the shortest idle time after which the platform
// suspends, 60 s.
const StaleAfter = 30 * time.Second

// Machine decides what each hook means, given those before it (specification
// section 2.5). It is plain data: no clock, no I/O, not safe for concurrent use.
// The zero Machine waits for run.
type Machine struct {
	phase Phase
	id    string
	// before is the phase that a suspend without effect leads back to.
	before Phase
	// epoch counts the hooks that took effect, so that the late outcome of one
	// hook cannot undo a newer one.
	epoch uint64

	ran    bool // a run was seen
	warned bool // the warning about resume before run was given
	// presumed says that the phase is a conclusion from a suspend without effect
	// and not from a hook.
	presumed bool
	// resumedAt and suspendedAt are the times of the latest counted transitions.
	resumedAt   time.Time
	suspendedAt time.Time
}

// Phase is the current phase.
func (m *Machine) Phase() Phase { return m.phase }

// ID is the instance id, empty while unknown.
func (m *Machine) ID() string { return m.id }

// Epoch names the latest hook that took effect.
func (m *Machine) Epoch() uint64 { return m.epoch }

// Run handles the run hook. The event is counted once per id: a machine whose
// id arrives with a second call has its anonymous start counted too.
func (m *Machine) Run(id string, now time.Time) Decision {
	if m.phase == Terminated {
		return Decision{Warn: "run after terminate is ignored", Odd: OddHookAfterEnd}
	}
	d := Decision{Beat: BeatStart, Watch: WatchDisarm, Event: !m.ran}
	if id != "" && id != m.id {
		if m.id != "" {
			d.Warn = "run brought a new instance id for a machine that had one"
			d.Odd = OddNewID
		}
		m.id, d.Identity, d.Event = id, id, true
	}
	m.ran = true
	m.enterRunning(now)
	return d
}

// Resume handles the resume hook. lastBeat is the wall-clock time of the latest
// heartbeat, zero for none.
func (m *Machine) Resume(now, lastBeat time.Time) Decision {
	if m.phase == Terminated {
		return Decision{Warn: "resume after terminate is ignored", Odd: OddHookAfterEnd}
	}
	d := Decision{Watch: WatchDisarm, Beat: BeatStart, Event: true}
	switch {
	case m.phase == Running:
		// Either a duplicate, or the suspend before it was never announced.
		d.Event = m.presumed || stale(now, m.resumedAt)
		d.Beat = BeatKeep
		if stale(now, lastBeat) {
			d.Beat = BeatNow
		}
	case !m.ran && !m.warned:
		m.warned = true
		d.Warn = "resume before run: the heartbeat stays silent until run brings the instance id"
		d.Odd = OddNoRun
	}
	if d.Event {
		m.enterRunning(now)
	} else {
		m.epoch++
	}
	return d
}

func (m *Machine) enterRunning(now time.Time) {
	m.phase, m.presumed, m.resumedAt = Running, false, now
	m.epoch++
}

// Suspend handles the suspend hook.
func (m *Machine) Suspend(now time.Time) Decision {
	d := Decision{Beat: BeatHalt, Watch: WatchDisarm}
	switch m.phase {
	case Terminated:
		return Decision{Beat: BeatHalt, Odd: OddHookAfterEnd}
	case Waiting, Running:
		// A retry after a suspend without effect is the same transition.
		d.Event = !m.presumed || stale(now, m.suspendedAt)
		m.before, m.phase, m.presumed = m.phase, Suspended, false
		if d.Event {
			m.suspendedAt = now
		}
	case Suspended:
	}
	m.epoch++
	return d
}

// SuspendAnswered handles the end of the suspend that was the hook of epoch. The
// platform suspends only after a 200; otherwise the machine keeps running and
// nobody will send a resume.
func (m *Machine) SuspendAnswered(epoch uint64, ok bool) Decision {
	switch {
	case m.phase != Suspended || m.epoch != epoch:
		return Decision{}
	case ok:
		return Decision{Watch: WatchArm}
	default:
		return m.suspendHadNoEffect("suspend was not answered with 200, so the machine keeps running")
	}
}

// WatchdogFired handles the watchdog armed in epoch. Code that executes is proof
// that the machine was neither suspended nor ended, or that it was restored.
func (m *Machine) WatchdogFired(epoch uint64) Decision {
	switch {
	case m.epoch != epoch:
		return Decision{}
	case m.phase == Suspended:
		return m.suspendHadNoEffect("no resume followed the suspend, yet the machine executes")
	case m.phase == Terminated:
		return Decision{
			Warn: "the machine executes although terminate was answered: something else than the platform may have called the hook",
			Odd:  OddOutlived,
		}
	case m.phase == Waiting && !m.ran:
		return Decision{
			Warn: "the clocks show that the machine was restored from a snapshot, but no hook followed: enable run in the image's hooks manifest and give it the port of lifecycle_address",
			Odd:  OddNoRun,
		}
	default:
		return Decision{}
	}
}

// TerminateAnswered handles the end of the terminate that was the hook of epoch:
// from now on the machine should not execute much longer.
func (m *Machine) TerminateAnswered(epoch uint64) Decision {
	if m.phase != Terminated || m.epoch != epoch {
		return Decision{}
	}
	return Decision{Watch: WatchArm}
}

// FreezeNoticed handles clocks that show a freeze. A machine that waits for its
// first run was probably restored, so run has to come soon.
func (m *Machine) FreezeNoticed() Decision {
	if m.phase != Waiting || m.ran {
		return Decision{}
	}
	m.epoch++
	return Decision{Watch: WatchArm}
}

// Ready handles the ready hook, which changes nothing but shows that an image is
// being built and that hooks arrive.
func (m *Machine) Ready() Decision {
	if m.phase != Waiting {
		return Decision{}
	}
	return Decision{Watch: WatchDisarm}
}

func (m *Machine) suspendHadNoEffect(why string) Decision {
	m.phase, m.presumed = m.before, true
	d := Decision{Watch: WatchDisarm, Warn: why}
	if m.phase == Running {
		d.Beat = BeatStart
	}
	return d
}

// Terminate handles the terminate hook. It is the last word: no later hook
// starts the heartbeat again.
func (m *Machine) Terminate() Decision {
	d := Decision{Beat: BeatHalt, Watch: WatchDisarm, Event: m.phase != Terminated}
	m.phase = Terminated
	m.epoch++
	return d
}

// Validate handles the validate hook, which only a machine that tests an image
// receives: if it had been started, it must not count as an instance. Each call
// is counted. Since it silences the heartbeat of any machine, one after run is
// noted.
func (m *Machine) Validate() Decision {
	d := Decision{Event: true}
	switch m.phase {
	case Running, Suspended:
		m.phase = Waiting
		m.epoch++
		d.Beat, d.Watch = BeatHalt, WatchDisarm
		d.Warn = "validate stopped the heartbeat: only a machine that tests an image is validated"
		d.Odd = OddValidateAfterRun
	case Waiting:
		d.Watch = WatchDisarm
	case Terminated:
	}
	return d
}

// stale reports that since is unknown, too long ago, or in the future, which
// means that the wall clock was set back and says nothing.
func stale(now, since time.Time) bool {
	age := now.Round(0).Sub(since.Round(0)) // wall clock: the monotonic one may stand still in a freeze
	return since.IsZero() || age > StaleAfter || age < 0
}
