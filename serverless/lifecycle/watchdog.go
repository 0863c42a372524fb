package lifecycle

import (
	"sync"
	"time"

	"github.com/vigil-agent/vigil/serverless/clock"
)

// WatchdogAfter is how long the machine must execute after an answered suspend,
// without a resume, to prove that it was not suspended (specification section
// 3.6).
const WatchdogAfter = 30 * time.Second

// watchdog is a one-shot timer. Its methods are called under the server's lock.
type watchdog struct {
	timer *time.Timer
	calls *sync.WaitGroup
	clock func() clock.Reading
}

// arm has fire called, with how late that is, after WatchdogAfter.
func (w *watchdog) arm(fire func(late time.Duration)) {
	w.disarm()
	w.calls.Add(1)
	due := w.clock().Mono + WatchdogAfter
	w.timer = time.AfterFunc(WatchdogAfter, func() {
		defer w.calls.Done()
		fire(w.clock().Mono - due)
	})
}

func (w *watchdog) disarm() {
	if w.timer != nil && w.timer.Stop() {
		w.calls.Done()
	}
	w.timer = nil
}
