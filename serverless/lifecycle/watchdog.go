package lifecycle

import (
	"sync"
	"time"
)

// WatchdogAfter is how long the machine must execute after an answered suspend,
// without a resume, to prove that it was not suspended (specification section
// 3.6).
const WatchdogAfter = 30 * time.Second

// watchdog is a one-shot timer. Its methods are called under the server's lock.
type watchdog struct {
	timer *time.Timer
	calls *sync.WaitGroup
}

func (w *watchdog) arm(fire func()) {
	w.disarm()
	w.calls.Add(1)
	w.timer = time.AfterFunc(WatchdogAfter, func() {
		defer w.calls.Done()
		fire()
	})
}

func (w *watchdog) disarm() {
	if w.timer != nil && w.timer.Stop() {
		w.calls.Done()
	}
	w.timer = nil
}
