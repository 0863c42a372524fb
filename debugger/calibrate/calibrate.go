package calibrate

import (
	"sync"

	"github.com/vigil-agent/vigil/debugger/plan"
)

// Costs are those of this machine, measured at the first call, which takes some
// 70 ms, and kept as long as the process: neither the machine nor its kernel
// changes under it. Where they cannot be measured they are nominal, and say why.
func Costs() plan.Costs { return measured() }

var measured = sync.OnceValue(func() plan.Costs {
	costs, err := measure()
	if err != nil {
		return plan.NominalCosts(err.Error())
	}
	return costs
})
