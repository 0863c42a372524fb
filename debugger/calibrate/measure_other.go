//go:build !amd64

package calibrate

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/vigil-agent/vigil/debugger/plan"
)

// measure has no instructions to place probes on.
func measure() (plan.Costs, error) {
	return plan.Costs{}, fmt.Errorf("measure the cost of a probe: %w on %s", errors.ErrUnsupported, runtime.GOARCH)
}
