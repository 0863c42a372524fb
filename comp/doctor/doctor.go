// Package doctor looks at the machine and says, item by item, whether it can
// carry what the configuration asks for, and what to type where it cannot.
package doctor

import (
	"context"

	"github.com/vigil-agent/vigil/comp/config"
)

// Finding is the outcome of one check.
type Finding struct {
	// Name is what was looked at, Detail what was found.
	Name   string `json:"name"`
	Detail string `json:"detail"`
	OK     bool   `json:"ok"`
	// Fix is what to type or change; empty when OK.
	Fix string `json:"fix,omitempty"`
	// Needed is true when the configuration asks for something that depends on
	// it: a finding that is neither OK nor needed is only good to know.
	Needed bool `json:"needed"`
}

// Deps are what the doctor asks other components.
type Deps struct {
	// BPF says why the kernel or this process cannot run probes; nil means it
	// can.
	BPF func() error
}

// Run makes every check. It changes nothing: files it creates to see whether a
// directory is writable are removed again.
func Run(ctx context.Context, c config.Config, d Deps) []Finding {
	debugger, logs := c.Debugger.Enabled, c.Logs.Enabled
	findings := []Finding{
		kernel(debugger),
		btf(debugger),
		capabilities(debugger),
		bpf(debugger, d.BPF),
		openFiles(logs),
		writable("run_path", c.RunPath, logs),
		socket(c.API.Socket),
	}
	running := runningComponents(ctx, c.API.Socket)
	if c.Serverless.Enabled {
		findings = append(findings, port(ctx, "serverless.lifecycle_address", c.Serverless.LifecycleAddress, running["serverless"]))
	}
	if c.Intake.Enabled {
		findings = append(findings, port(ctx, "intake.listen", c.Intake.Listen, running["intake"]))
	}
	if c.Telemetry.Listen != "" {
		findings = append(findings, port(ctx, "telemetry.listen", c.Telemetry.Listen, running["telemetry"]))
	}
	embedded := c.Intake.Enabled && c.Logs.Endpoint.Address == c.Intake.Listen
	if logs && !embedded {
		findings = append(findings, reachable(ctx, "logs.endpoint.address", c.Logs.Endpoint.Address))
	}
	if c.Metrics.StatsdAddress != "" {
		findings = append(findings, statsd(c.Metrics.StatsdAddress, c.Serverless.Enabled))
	}
	return findings
}

// Healthy says whether everything that is needed is there.
func Healthy(findings []Finding) bool {
	for _, f := range findings {
		if f.Needed && !f.OK {
			return false
		}
	}
	return true
}

func good(name, detail string, needed bool) Finding {
	return Finding{Name: name, Detail: detail, OK: true, Needed: needed}
}

func bad(name, detail, fix string, needed bool) Finding {
	return Finding{Name: name, Detail: detail, Fix: fix, Needed: needed}
}
