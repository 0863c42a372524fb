package control

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/probe"
	"github.com/vigil-agent/vigil/debugger/snapshot"
)

// Installed is one definition that resolved in the program's binary.
type Installed struct {
	Definition probe.Definition
	resolution Resolution
	index      int
	costs      plan.Costs
	tally      tally
	types      types
}

// part is one place of a definition; the kernel knows each as a probe.
type part struct {
	*Installed
	layout *snapshot.Layout
	// returns says that a call has two events, when it can be known by its depth.
	returns bool
}

// Plans are where and what the probe captures, one for each place.
func (i *Installed) Plans() []*plan.Plan {
	out := make([]*plan.Plan, len(i.resolution.Layouts))
	for k, l := range i.resolution.Layouts {
		out[k] = l.Plan()
	}
	return out
}

// Notes say what the probe cannot do, and why.
func (i *Installed) Notes() (notes []string) {
	add := func(note string) {
		if !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
	}
	for _, p := range i.Plans() {
		for _, note := range p.Notes {
			add(note)
		}
	}
	for _, note := range i.resolution.Notes {
		add(note)
	}
	return notes
}

func newPart(i *Installed, l *snapshot.Layout) part {
	return part{Installed: i, layout: l, returns: l.Plan().Returns()}
}

// ends reports whether calls end at a site of the place.
func (p *part) ends(site uint32) bool {
	sites := p.layout.Plan().Sites
	return int(site) < len(sites) && sites[site].Kind.Ends()
}

// tally counts what is known of a definition's hits in userspace.
type tally struct {
	snapshots, bytes, refused                       atomic.Uint64
	paired, unwound, evicted, overdue, ended, alone atomic.Uint64
}

// types are the dynamic types that snapshots met and their plan did not know.
type types struct {
	mu      sync.Mutex
	missing []uint64            // to be planned with
	seen    map[uint64]struct{} // all that were asked for, also in vain
	refused uint64              // reports of types over the bound
}

// maxTypes bounds the types that one definition learns of in one binary: each is
// described with what it is made of, some kilobytes.
const maxTypes = 512

// report takes in the types of a snapshot and says whether one is new.
func (t *types) report(unknown []uint64) (isNew bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, offset := range unknown {
		if _, ok := t.seen[offset]; ok {
			continue
		}
		if len(t.seen) >= maxTypes {
			t.refused++
			continue
		}
		t.seen[offset] = struct{}{}
		t.missing = append(t.missing, offset)
		isNew = true
	}
	return isNew
}

// pending is how many types were met that no plan was made with yet.
func (t *types) pending() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.missing)
}

// giveUp forgets what is pending: it is not asked for again.
func (t *types) giveUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.missing = nil
}

// wanted are all types to plan with, and whether there are new ones.
func (t *types) wanted(before []uint64) (all []uint64, more bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all = slices.Concat(before, t.missing)
	slices.Sort(all)
	return slices.Compact(all), len(t.missing) > 0
}

// know says that plans were made with these types already.
func (t *types) know(offsets []uint64) {
	t.seen = map[uint64]struct{}{}
	for _, offset := range offsets {
		t.seen[offset] = struct{}{}
	}
}
