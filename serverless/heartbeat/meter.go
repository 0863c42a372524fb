package heartbeat

import "time"

// meter adds up the time the machine was active, on the monotonic clock.
type meter struct {
	since   time.Duration // when the time not yet added began
	on      bool
	pending time.Duration // added, but not reported
}

func (m *meter) begin(now time.Duration) { m.since, m.on = now, true }

// reach adds what has passed.
func (m *meter) reach(now time.Duration) {
	if m.on {
		m.pending += max(0, now-m.since)
		m.since = now
	}
}

// end begins a time that does not count; reach comes before it.
func (m *meter) end() { m.on = false }

// except leaves out d of the time that has not been added yet.
func (m *meter) except(d time.Duration) { m.since += d }

// forget drops what has not been reported.
func (m *meter) forget() { m.pending = 0 }

// take removes the whole seconds; the rest stays for the next time.
func (m *meter) take() time.Duration {
	whole := m.pending.Truncate(time.Second)
	m.pending -= whole
	return whole
}

// owe puts back what could not be reported.
func (m *meter) owe(d time.Duration) { m.pending += d }
