package control

import (
	"errors"
	"fmt"
	"slices"
)

// Wanting reports whether snapshots have met types that no plan knows.
func (p *Program) Wanting() bool {
	return slices.ContainsFunc(p.probes, func(i *Installed) bool { return i.types.pending() > 0 })
}

// giveUpTypes forgets the types that no plan could be made with.
func (p *Program) giveUpTypes() {
	for _, i := range p.probes {
		i.types.giveUp()
	}
}

// Successor replaces a program by one whose plans also know the types that
// snapshots have met: it is attached to the same processes and takes the hits
// from now on. The old program takes none any more; what it captured must still
// be drained before it is closed, and Inherit brings over its counts.
//
// Calls that are in progress meanwhile end without their return. When it fails
// the old program goes on as before.
func (p *Program) Successor() (*Program, error) {
	resolutions := slices.Clone(p.resolutions)
	for k := range resolutions {
		r := &resolutions[k]
		i := slices.IndexFunc(p.probes, func(i *Installed) bool { return i.Definition.ID == r.Definition.ID })
		if i < 0 {
			continue
		}
		wanted, more := p.probes[i].types.wanted(r.Types)
		if !more {
			continue
		}
		if next := resolve(p.bin, r.Definition, wanted, p.options.Hide); next.Err == nil {
			*r = next
		}
		r.Types = wanted // not asked for again
	}
	p.bin.ReleaseDebugInfo()
	next, err := newProgram(p.bin, p.symbols, resolutions, p.options, p.session)
	if err != nil {
		return nil, fmt.Errorf("plan the types that were met: %w", err)
	}
	if err := p.handOver(next); err != nil {
		return nil, errors.Join(err, next.session.Close())
	}
	p.kept = true
	return next, nil
}

// handOver attaches the successor and lets it take the hits.
func (p *Program) handOver(next *Program) error {
	for _, here := range p.processes() {
		if !here.endedAt.IsZero() {
			continue
		}
		if err := next.Attach(here.process); err != nil && here.process.Running() {
			return err
		}
	}
	return next.session.TakeOver()
}

// Inherit adds what was counted for the processes by the program before.
func (p *Program) Inherit(from *Program) {
	for _, old := range from.processes() {
		p.mu.Lock()
		if here := p.running(old.PID); here != nil {
			for i := range here.snapshots {
				here.snapshots[i].Add(old.snapshots[i].Load())
			}
		}
		p.mu.Unlock()
	}
}
