package serverless

import (
	"math"
	"time"

	"github.com/vigil-agent/vigil/serverless/child"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
	"github.com/vigil-agent/vigil/serverless/usage"
)

// Status is a snapshot of the engine. Counters only grow.
type Status struct {
	// Address is the bound address, empty before Start.
	Address string `json:"address"`
	// MicroVMID is the instance id, empty before run brought one.
	MicroVMID string `json:"microvm_id"`
	// ImageARN and ImageVersion come from the environment; the ARN is empty
	// outside a MicroVM.
	ImageARN     string `json:"image_arn"`
	ImageVersion string `json:"image_version"`
	// State is waiting, running, suspended or terminated.
	State     string          `json:"state"`
	Life      LifeStatus      `json:"life"`
	Heartbeat HeartbeatStatus `json:"heartbeat"`
	Usage     UsageStatus     `json:"usage"`
	Identity  IdentityStatus  `json:"identity"`
	Oddities  OddityStatus    `json:"oddities"`
	// Hooks is the number of well-formed calls of each hook, every hook present.
	Hooks map[string]uint64 `json:"hooks"`
	// Child is nil when there is no command.
	Child *ChildStatus `json:"child,omitempty"`
}

// LifeStatus is how the machine's life went, without the phase it is in; see
// lifecycle.History.
type LifeStatus struct {
	Suspends         uint64  `json:"suspends"`
	RunningSeconds   float64 `json:"running_seconds"`
	SuspendedSeconds float64 `json:"suspended_seconds"`
	// LastExit is how it last left the running phase: none, suspend, terminate,
	// validate, or a suspend without effect: suspend_refused, suspend_ignored.
	LastExit string `json:"last_exit"`
}

// HeartbeatStatus counts the samples; see heartbeat.Stats.
type HeartbeatStatus struct {
	Sent       uint64 `json:"sent"`
	Suppressed uint64 `json:"suppressed"`
	Failed     uint64 `json:"failed"`
	Panics     uint64 `json:"panics"`
	// Freezes is the number of standstills or clock steps noticed, Resyncs that of
	// samples that waited for a wall clock to become right.
	Freezes uint64 `json:"freezes"`
	Resyncs uint64 `json:"resyncs"`
	// ActiveSeconds is the running time reported so far, in seconds.
	ActiveSeconds uint64 `json:"active_seconds"`
	// Last is when the latest sample was begun; zero when there was none.
	Last time.Time `json:"last,omitzero"`
}

// UsageStatus is the latest measurement of the CPU; see usage.Stats.
type UsageStatus struct {
	Ticks     uint64 `json:"ticks"`
	CPUErrors uint64 `json:"cpu_errors"`
	Failed    uint64 `json:"failed"`
	Freezes   uint64 `json:"freezes"`
	// CPUNanocores and CPULimitNanocores are 0 while unknown.
	CPUNanocores      float64 `json:"cpu_nanocores"`
	CPULimitNanocores float64 `json:"cpu_limit_nanocores"`
}

// IdentityStatus is what the identity endpoint serves beside id and image.
type IdentityStatus struct {
	// Address is empty when the identity is not served.
	Address         string `json:"address,omitempty"`
	CloneGeneration string `json:"clone_generation,omitempty"`
	ResumeCount     uint64 `json:"resume_count"`
}

// OddityStatus counts what should not happen; see lifecycle.Oddity.
type OddityStatus struct {
	// ExecutedAfterTerminate is execution long after an answered terminate.
	ExecutedAfterTerminate uint64 `json:"executed_after_terminate"`
	// HooksAfterTerminate are runs, resumes and suspends after terminate.
	HooksAfterTerminate uint64 `json:"hooks_after_terminate"`
	// ChangedIDs are runs with another instance id than before.
	ChangedIDs uint64 `json:"changed_ids"`
	// RestoresWithoutRun are restores or resumes of a machine without a run.
	RestoresWithoutRun uint64 `json:"restores_without_run"`
	// ValidatesAfterRun are validates that stopped the heartbeat.
	ValidatesAfterRun uint64 `json:"validates_after_run"`
}

// ChildStatus is the state of the application.
type ChildStatus struct {
	PID   int  `json:"pid"`
	Alive bool `json:"alive"`
	// ExitCode is -1 until the process has ended.
	ExitCode int `json:"exit_code"`
}

// Status is cheap, takes no lock a hook could hold, and is safe at any time.
func (e *Engine) Status() Status {
	beat, who, life := e.beat.Stats(), e.book.Current(), e.server.History()
	s := Status{
		MicroVMID:    e.server.ID(),
		ImageARN:     e.image.ImageARN,
		ImageVersion: e.image.ImageVersion,
		State:        e.server.Phase().String(),
		Life: LifeStatus{
			Suspends: life.Suspends, RunningSeconds: life.Running.Seconds(), SuspendedSeconds: life.Suspended.Seconds(),
			LastExit: life.LastExit.String(),
		},
		Heartbeat: HeartbeatStatus{
			Sent: beat.Sent, Suppressed: beat.Suppressed, Failed: beat.Failed, Panics: beat.Panics, Last: beat.Last,
			Freezes: beat.Freezes, Resyncs: beat.Resyncs, ActiveSeconds: beat.ActiveSeconds,
		},
		Usage:    usageStatus(e.usage.Stats()),
		Identity: IdentityStatus{CloneGeneration: who.CloneGeneration, ResumeCount: who.ResumeCount},
		Oddities: OddityStatus{
			ExecutedAfterTerminate: e.server.Odd(lifecycle.OddOutlived),
			HooksAfterTerminate:    e.server.Odd(lifecycle.OddHookAfterEnd),
			ChangedIDs:             e.server.Odd(lifecycle.OddNewID),
			RestoresWithoutRun:     e.server.Odd(lifecycle.OddNoRun),
			ValidatesAfterRun:      e.server.Odd(lifecycle.OddValidateAfterRun),
		},
		Hooks: make(map[string]uint64, lifecycle.NumHooks),
		Child: childStatus(e.app),
	}
	if addr := e.server.Addr(); addr != nil {
		s.Address = addr.String()
	}
	if e.identity != nil && e.identity.Addr() != nil {
		s.Identity.Address = e.identity.Addr().String()
	}
	for h := range lifecycle.Hook(lifecycle.NumHooks) {
		s.Hooks[h.String()] = e.server.Seen(h)
	}
	return s
}

func usageStatus(s usage.Stats) UsageStatus {
	known := func(nanocores float64) float64 {
		if math.IsNaN(nanocores) {
			return 0 // JSON has no NaN
		}
		return nanocores
	}
	return UsageStatus{
		Ticks: s.Ticks, CPUErrors: s.CPUErrors, Failed: s.Failed, Freezes: s.Freezes,
		CPUNanocores: known(s.Usage), CPULimitNanocores: known(s.Limit),
	}
}

func childStatus(c *child.Child) *ChildStatus {
	if c == nil {
		return nil
	}
	return &ChildStatus{PID: c.PID(), Alive: c.Alive(), ExitCode: c.ExitCode()}
}
