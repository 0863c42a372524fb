package serverlessfx

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/comp/telemetry"
	"github.com/vigil-agent/vigil/serverless"
	"github.com/vigil-agent/vigil/serverless/identity"
	"github.com/vigil-agent/vigil/serverless/usage"
)

// text is what a person reads of the engine.
func text(s serverless.Status) []string {
	instance := "no instance id yet"
	if s.MicroVMID != "" {
		instance = "instance " + s.MicroVMID
	}
	lines := []string{fmt.Sprintf("%s, %s, hooks on %s", s.State, instance, s.Address)}
	beat := fmt.Sprintf("heartbeat: %d sent, %d held back without an id", s.Heartbeat.Sent, s.Heartbeat.Suppressed)
	if s.Heartbeat.Failed+s.Heartbeat.Panics > 0 {
		beat += fmt.Sprintf(", %d failed", s.Heartbeat.Failed+s.Heartbeat.Panics)
	}
	if !s.Heartbeat.Last.IsZero() {
		beat += fmt.Sprintf(", last %s ago", time.Since(s.Heartbeat.Last).Round(time.Second))
	}
	lines = append(lines, beat)
	if s.Heartbeat.ActiveSeconds > 0 {
		lines = append(lines, fmt.Sprintf("active: %s reported", time.Duration(s.Heartbeat.ActiveSeconds)*time.Second))
	}
	if u := s.Usage; u.CPULimitNanocores > 0 {
		lines = append(lines, fmt.Sprintf("CPU: %.2f of %.2f cores", u.CPUNanocores/usage.NanocoresPerCore, u.CPULimitNanocores/usage.NanocoresPerCore))
	}
	if s.Identity.Address != "" {
		lines = append(lines, fmt.Sprintf("identity: http://%s%s, resumed %d times", s.Identity.Address, identity.Path, s.Identity.ResumeCount))
	}
	if l := s.Life; l.Suspends > 0 {
		seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)).Round(time.Second) }
		lines = append(lines, fmt.Sprintf("suspended: %d times, %s in all, after %s of running", l.Suspends, seconds(l.SuspendedSeconds), seconds(l.RunningSeconds)))
	}
	for _, odd := range oddities {
		if n := odd.value(s); n > 0 {
			lines = append(lines, fmt.Sprintf("odd: %s, %d times", odd.text, n))
		}
	}
	var hooks []string
	for _, hook := range slices.Sorted(maps.Keys(s.Hooks)) {
		if n := s.Hooks[hook]; n > 0 {
			hooks = append(hooks, fmt.Sprintf("%s %d", hook, n))
		}
	}
	if len(hooks) > 0 {
		lines = append(lines, "hooks seen: "+strings.Join(hooks, ", "))
	}
	if c := s.Child; c != nil {
		state := "running"
		if !c.Alive {
			state = fmt.Sprintf("ended with %d", c.ExitCode)
		}
		lines = append(lines, fmt.Sprintf("application: pid %d, %s", c.PID, state))
	}
	return lines
}

// oddities are the things that should not happen, with their value of the label
// kind and their words.
var oddities = []struct {
	kind, text string
	value      func(serverless.Status) uint64
}{
	{"changed_id", "run brought another instance id", func(s serverless.Status) uint64 { return s.Oddities.ChangedIDs }},
	{"executed_after_terminate", "the machine executed on after terminate", func(s serverless.Status) uint64 { return s.Oddities.ExecutedAfterTerminate }},
	{"hook_after_terminate", "a hook was called after terminate", func(s serverless.Status) uint64 { return s.Oddities.HooksAfterTerminate }},
	{"restore_without_run", "the machine was restored without a run", func(s serverless.Status) uint64 { return s.Oddities.RestoresWithoutRun }},
	{"validate_after_run", "validate stopped the heartbeat", func(s serverless.Status) uint64 { return s.Oddities.ValidatesAfterRun }},
}

// table is the telemetry of the engine.
func table(read func() (serverless.Status, bool)) telemetry.Table {
	counter := func(name, help string, value func(serverless.Status) uint64) telemetry.Metric {
		return telemetry.Metric{Name: name, Kind: telemetry.Counter, Help: help, Collect: func(report func(float64, ...string)) {
			if s, ok := read(); ok {
				report(float64(value(s)))
			}
		}}
	}
	return telemetry.Table{Name: name, Metrics: []telemetry.Metric{
		counter("vigil_serverless_heartbeats_sent_total", "Heartbeat samples emitted.", func(s serverless.Status) uint64 { return s.Heartbeat.Sent }),
		counter("vigil_serverless_heartbeats_suppressed_total", "Heartbeat samples held back because the instance had no id yet.", func(s serverless.Status) uint64 { return s.Heartbeat.Suppressed }),
		counter("vigil_serverless_heartbeats_failed_total", "Heartbeat samples that the metrics output refused.", func(s serverless.Status) uint64 { return s.Heartbeat.Failed }),
		counter("vigil_serverless_heartbeat_panics_total", "Panics of the metrics output that the heartbeat survived.", func(s serverless.Status) uint64 { return s.Heartbeat.Panics }),
		counter("vigil_serverless_active_seconds_total", "Seconds of running time reported, on the monotonic clock.", func(s serverless.Status) uint64 { return s.Heartbeat.ActiveSeconds }),
		counter("vigil_serverless_freezes_total", "Standstills of the machine, or steps of its wall clock, that were noticed.", func(s serverless.Status) uint64 { return s.Usage.Freezes }),
		counter("vigil_serverless_heartbeat_resyncs_total", "Heartbeat samples that waited for the wall clock to become right.", func(s serverless.Status) uint64 { return s.Heartbeat.Resyncs }),
		counter("vigil_serverless_usage_samples_total", "Usage measurements, one every 3 s.", func(s serverless.Status) uint64 { return s.Usage.Ticks }),
		counter("vigil_serverless_usage_cpu_errors_total", "Failed readings of the CPU time or its limit.", func(s serverless.Status) uint64 { return s.Usage.CPUErrors }),
		counter("vigil_serverless_usage_failed_total", "Usage metrics that the metrics output refused.", func(s serverless.Status) uint64 { return s.Usage.Failed }),
		counter("vigil_serverless_suspends_total", "Suspends that took effect.", func(s serverless.Status) uint64 { return s.Life.Suspends }),
		counter("vigil_serverless_suspended_seconds_total", "Whole seconds that the machine was suspended, without the suspend it is in.", func(s serverless.Status) uint64 { return uint64(s.Life.SuspendedSeconds) }),
		counter("vigil_serverless_resumes_total", "Resumes since run.", func(s serverless.Status) uint64 { return s.Identity.ResumeCount }),
		{
			Name: "vigil_serverless_oddities_total", Kind: telemetry.Counter, Labels: []string{"kind"},
			Help: "Things that should not happen: changed_id, executed_after_terminate, hook_after_terminate, restore_without_run, validate_after_run.",
			Collect: func(report func(float64, ...string)) {
				if s, ok := read(); ok {
					for _, odd := range oddities {
						report(float64(odd.value(s)), odd.kind)
					}
				}
			},
		},
		{
			Name: "vigil_serverless_hooks_total", Kind: telemetry.Counter, Labels: []string{"hook"}, Help: "Lifecycle hooks received.",
			Collect: func(report func(float64, ...string)) {
				s, _ := read()
				for _, hook := range slices.Sorted(maps.Keys(s.Hooks)) {
					report(float64(s.Hooks[hook]), hook)
				}
			},
		},
		{
			Name: "vigil_serverless_state", Kind: telemetry.Gauge, Labels: []string{"state"}, Help: "1 for the phase of the instance: waiting, running, suspended or terminated.",
			Collect: func(report func(float64, ...string)) {
				if s, ok := read(); ok {
					report(1, s.State)
				}
			},
		},
	}}
}
