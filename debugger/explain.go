package debugger

import (
	"errors"
	"fmt"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/calibrate"
	"github.com/vigil-agent/vigil/debugger/explain"
	"github.com/vigil-agent/vigil/debugger/target"
)

// ExplainOptions bound an explanation.
type ExplainOptions = explain.Options

// Explanation says what a probe would do.
type Explanation = explain.Report

// ExplainMost is how many places are explained when nothing is said.
const ExplainMost = explain.DefaultMost

// Explain says what a probe on a function ("main.handle") or line
// ("server.go:42") of a binary would do. It needs no privileges; with those that
// probes need, what hits cost is measured, unless o.Costs is given. Errors say what
// to do: ErrNotGo, and names that are not there with those that look like them.
func Explain(path, what string, o ExplainOptions) (*Explanation, error) {
	bin, err := binary.Open(path)
	if err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	if o.Costs == nil {
		o.Costs = calibrate.Costs
	}
	report, err := explain.What(bin, what, o)
	if err = errors.Join(err, bin.Close()); err != nil {
		return nil, fmt.Errorf("explain %s: %w", path, err)
	}
	return report, nil
}

// ExplainPID is Explain for the program that a process runs. It fails with
// ErrNoProcess and ErrPermission as well.
func ExplainPID(pid int, what string, o ExplainOptions) (*Explanation, error) {
	proc, err := target.Inspect(pid)
	if err != nil {
		return nil, fmt.Errorf("explain: %w", err)
	}
	report, err := Explain(proc.ExePath(), what, o)
	if err != nil {
		return nil, fmt.Errorf("pid %d: %w", pid, err)
	}
	report.Path = proc.Exe
	return report, nil
}
