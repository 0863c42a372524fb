package control

import (
	"slices"
	"time"

	"github.com/vigil-agent/vigil/debugger/binary"
)

// How often the probes of one binary are planned again because snapshots met
// types that are not known: the first replanBurst times at once, then every
// replanEvery. It reads the binary's debug information, which takes up to a second
// of one processor for a large program.
const (
	replanBurst = 8
	replanEvery = 10 * time.Second
	// replanDelay lets the types of several snapshots come together.
	replanDelay = 250 * time.Millisecond
)

// allowance is a token bucket: full is when it is whole again.
type allowance struct{ full time.Time }

// next is when the next token can be taken, now or later.
func (a *allowance) next(now time.Time) time.Time {
	if at := a.full.Add(-(replanBurst - 1) * replanEvery); at.After(now) {
		return at
	}
	return now
}

// take takes a token.
func (a *allowance) take(now time.Time) {
	if a.full.Before(now) {
		a.full = now
	}
	a.full = a.full.Add(replanEvery)
}

// want is called by the readers.
func (m *Manager) want() {
	select {
	case m.wanted <- struct{}{}:
	default:
	}
}

// nextReplan is when the first of the programs that met new types may be planned
// again.
func (m *Manager) nextReplan() time.Time {
	earliest := time.Now().Add(replanEvery)
	for _, r := range m.running {
		if !r.Wanting() {
			continue
		}
		if at := r.replans.next(time.Now().Add(replanDelay)); at.Before(earliest) {
			earliest = at
		}
	}
	return earliest
}

// replanDue replaces the programs that met new types, as far as they may.
func (m *Manager) replanDue(now time.Time) {
	wanting := false
	for id, r := range m.running {
		switch {
		case !r.Wanting():
		case r.replans.next(now).After(now):
			wanting = true
		default:
			r.replans.take(now)
			m.replan(id, r)
		}
	}
	if wanting {
		m.want()
	}
}

// replan replaces a program by one that knows more types.
func (m *Manager) replan(id binary.Identity, r *running) {
	p, err := r.Successor()
	if err != nil {
		r.giveUpTypes()
		m.deps.Log.Warn("values of some types are not captured", "exe", r.bin.Path(), "error", err)
		return
	}
	next := newRunning(p)
	next.replans = r.replans
	counters := m.finish(r)
	next.Inherit(r.Program)
	changed := slices.DeleteFunc(slices.Clone(p.resolutions), func(have Resolution) bool {
		return slices.ContainsFunc(r.resolutions, func(old Resolution) bool {
			return old.Definition.ID == have.Definition.ID && len(old.Types) == len(have.Types)
		})
	})
	m.mu.Lock()
	m.remember(r, counters)
	for _, c := range changed {
		sum := m.past[c.Definition.ID]
		sum.Replans++
		m.past[c.Definition.ID] = sum
	}
	next.pids = r.pids
	m.running[id] = next
	for _, at := range m.placings {
		if at.program == r {
			at.program, at.resolutions = next, p.resolutions
		}
	}
	m.mu.Unlock()
	m.cache.put(keyOf(p.bin), p.resolutions)
	go m.read(next)
	m.deps.Log.Debug("probes know more types", "exe", p.bin.Path(), "probes", len(changed))
}
