package plan

import "time"

// Costs are what a hit of an empty probe costs the process, by the anchor it is
// on: the kernel emulates some instructions behind one trap, and steps over
// others with a second one.
type Costs struct {
	PushRBP, Emulated, Stepped time.Duration
	// Nominal is why they are not those of this machine; "" when they were
	// measured here.
	Nominal string
}

// NominalCosts are those of a virtual machine, where the second trap is dear
// (debugger specification, section 7.2: 0.75 µs at PUSH RBP, 0.6 to 0.77 µs at
// jumps and calls, 14.5 to 21.9 µs elsewhere); on bare metal both are less.
func NominalCosts(why string) Costs {
	return Costs{PushRBP: 750 * time.Nanosecond, Emulated: 750 * time.Nanosecond, Stepped: 16 * time.Microsecond, Nominal: why}
}

// Of is the cost at an anchor.
func (c Costs) Of(a Anchor) time.Duration {
	switch a {
	case AnchorPushRBP:
		return c.PushRBP
	case AnchorEmulated:
		return c.Emulated
	}
	return c.Stepped
}
