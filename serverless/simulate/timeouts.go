package simulate

import (
	"fmt"
	"slices"
	"time"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// Timeouts are the platform's, by hook. The platform accepts 1 s to 1 h for the
// build hooks and 1 s to 1 min for the others; here anything positive goes.
type Timeouts [lifecycle.NumHooks]time.Duration

// DefaultTimeouts are those of AWS's sample manifest.
func DefaultTimeouts() Timeouts {
	return Timeouts{
		lifecycle.Ready:     60 * time.Second,
		lifecycle.Validate:  10 * time.Second,
		lifecycle.Run:       2 * time.Second,
		lifecycle.Resume:    2 * time.Second,
		lifecycle.Suspend:   5 * time.Second,
		lifecycle.Terminate: 5 * time.Second,
	}
}

// Set changes the timeout of the hook with that name.
func (t *Timeouts) Set(hook string, d time.Duration) error {
	h := slices.Index(hookNames, hook)
	if h < 0 {
		return fmt.Errorf("%q is no hook%s", hook, didYouMean(hook, hookNames))
	}
	t[h] = d
	return nil
}

// Spell writes each timeout as HOOK=DURATION.
func (t *Timeouts) Spell() []string {
	texts := make([]string, len(t))
	for h, d := range t {
		texts[h] = hookNames[h] + "=" + short(d)
	}
	return texts
}

// short leaves the empty seconds of a whole minute away.
func short(d time.Duration) string {
	if d >= time.Minute && d%time.Minute == 0 {
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}
