package bpf

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"github.com/vigil-agent/vigil/debugger/plan"
)

// Load verifies and loads the program with the given probes; an event's Probe
// is an index in probes. The caller must Close the session.
//
// An error matches ErrNotSupported when the machine is the reason.
func Load(o Options, probes []Probe) (*Session, error) {
	if err := check(probes); err != nil {
		return nil, err
	}
	if err := Supported(); err != nil {
		return nil, err
	}
	s := &Session{
		probes:   probes,
		multi:    !o.PerfLinks && haveUprobeMulti(),
		sleeps:   !o.NoSleep,
		number:   1,
		attached: map[target]attachment{},
	}
	if err := s.load(o); err != nil {
		return nil, err
	}
	err := s.fill()
	if err == nil && o.After == nil {
		err = s.TakeOver()
	}
	if err != nil {
		s.coll.Close()
		return nil, err
	}
	if s.reader, err = ringbuf.NewReader(s.coll.Maps[captureMapRing]); err != nil {
		s.coll.Close()
		return nil, fmt.Errorf("open the ring buffer: %w", err)
	}
	return s, nil
}

func check(probes []Probe) error {
	if len(probes) == 0 || len(probes) > MaxProbes {
		return fmt.Errorf("load probes: %d given, want 1 to %d", len(probes), MaxProbes)
	}
	for i, p := range probes {
		switch {
		case len(p.Plan.Sites) == 0:
			return fmt.Errorf("load probe %s: its plan for %s has no sites", p.Plan.ProbeID, p.Plan.Function)
		case len(p.Plan.Sites) > MaxProbes:
			return fmt.Errorf("load probe %s: its plan for %s has %d sites, want at most %d", p.Plan.ProbeID, p.Plan.Function, len(p.Plan.Sites), MaxProbes)
		case len(p.Plan.Code) == 0:
			return fmt.Errorf("load probe %s: its plan for %s is not compiled", p.Plan.ProbeID, p.Plan.Function)
		case p.Shares < 0 || p.Shares > i:
			return fmt.Errorf("load probe %s: shares the bound of probe %d, which is not an earlier one", p.Plan.ProbeID, p.Shares-1)
		case p.Plan.RootSize > plan.MaxItem:
			return fmt.Errorf("load probe %s: a root of %d bytes exceeds %d", p.Plan.ProbeID, p.Plan.RootSize, plan.MaxItem)
		case math.IsNaN(p.PerSecond) || p.PerSecond < 0:
			return fmt.Errorf("load probe %s: %v events per second", p.Plan.ProbeID, p.PerSecond)
		}
	}
	return nil
}

// load creates the maps and loads the program, allowed to sleep if possible.
func (s *Session) load(o Options) error {
	spec, err := loadCapture()
	if err != nil {
		return fmt.Errorf("read the embedded kernel program: %w", err)
	}
	if err := s.size(spec, ringBytes(o.RingBytes, s.probes)); err != nil {
		return err
	}
	var shared map[string]*ebpf.Map
	if o.After != nil {
		s.number = o.After.number + 1
		shared = map[string]*ebpf.Map{captureMapCharge: o.After.coll.Maps[captureMapCharge]}
	}
	s.coll, err = s.try(spec, shared)
	if err != nil && s.sleeps {
		// No feature probe says that uprobes may sleep; loading does.
		var classic error
		s.sleeps = false
		if s.coll, classic = s.try(spec, shared); classic == nil {
			err = nil
		}
	}
	if errors.Is(err, unix.EPERM) {
		return &UnsupportedError{Missing: "permission to load the kernel program", Hint: hintPermission, Err: err}
	}
	if err != nil {
		return fmt.Errorf("load the kernel program: %w", err)
	}
	s.prog, s.stats = s.coll.Programs[captureProgOnHit], s.coll.Maps[captureMapStats]
	return nil
}

// size gives the maps the room these probes need.
func (s *Session) size(spec *ebpf.CollectionSpec, ring uint32) error {
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return fmt.Errorf("count the processors: %w", err)
	}
	scratch := max(min(cpus*perCPU, maxScratch), scratchSlots)
	var sites, ops, dynamics int
	calls := 1
	for _, p := range s.probes {
		if p.Plan.Returns() {
			calls = maxCalls
		}
		sites += len(p.Plan.Sites)
		ops += len(p.Plan.Code)
		dynamics += len(p.Plan.Dynamic)
	}
	for name, n := range map[string]int{
		captureMapParams:   len(s.probes),
		captureMapStats:    len(s.probes),
		captureMapThrottle: len(s.probes),
		captureMapSites:    sites,
		captureMapCode:     ops,
		captureMapDynamics: max(dynamics, 1),
		captureMapScratch:  scratch,
		captureMapRing:     int(ring),
		captureMapCalls:    calls,
	} {
		spec.Maps[name].MaxEntries = uint32(n)
	}
	for name, value := range map[string]any{
		captureVarScratchSlots:  uint32(scratch),
		captureVarScratchPerCpu: uint32(perCPU),
		// A quarter of the ring: section 9.4 of the debugger specification.
		captureVarWakeBytes: uint64(ring / 4),
	} {
		if err := spec.Variables[name].Set(value); err != nil {
			return fmt.Errorf("set %s: %w", name, err)
		}
	}
	return nil
}

const (
	// scratchSlots is SCRATCH_SLOTS in c/layout.h: as many buffers, of 590 KiB,
	// are tried for a hit; perCPU of them are made for each processor, which is
	// where it begins to look.
	scratchSlots = 4
	perCPU       = 2
	// maxScratch bounds all buffers to 18 MiB: machines can have hundreds of
	// processors, and rarely handle more hits than this at one moment.
	maxScratch = 32
)

// maxCalls is how many captured calls may be in progress, some 100 bytes each; of
// more, the oldest lose their return.
const maxCalls = 1 << 14

// try loads a copy of the program for the way it will be attached.
func (s *Session) try(spec *ebpf.CollectionSpec, shared map[string]*ebpf.Map) (*ebpf.Collection, error) {
	spec = spec.Copy()
	prog := spec.Programs[captureProgOnHit]
	if s.multi {
		prog.AttachType = ebpf.AttachTraceUprobeMulti
	}
	if s.sleeps {
		prog.Flags |= unix.BPF_F_SLEEPABLE
	}
	if err := spec.Variables[captureVarSleepable].Set(s.sleeps); err != nil {
		return nil, fmt.Errorf("set %s: %w", captureVarSleepable, err)
	}
	if err := spec.Variables[captureVarNumber].Set(s.number); err != nil {
		return nil, fmt.Errorf("set %s: %w", captureVarNumber, err)
	}
	return ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{MapReplacements: shared})
}

// ringBytes is the size of the ring: n when it is given, else by the rate of the
// probes.
func ringBytes(n int, probes []Probe) uint32 {
	if n <= 0 {
		n = rateBytes(probes)
	}
	n = min(max(n, minRingBytes), 1<<30)
	return 1 << bits.Len(uint(n-1))
}

// maxFragment is FRAGMENT_BYTES in c/layout.h, the most of one record. Few events
// have more than one.
const maxFragment = 32 << 10

func rateBytes(probes []Probe) int {
	var perSecond float64
	for _, p := range probes {
		if p.PerSecond == 0 {
			return DefaultRingBytes // no bound
		}
		perSecond += max(p.PerSecond, 1)
	}
	return int(min(max(perSecond*maxFragment, SmallRingBytes), DefaultRingBytes))
}

// fill writes the probes into the maps.
func (s *Session) fill() error {
	var sites, ops uint32
	maps := s.coll.Maps
	var record []byte
	for i, p := range s.probes {
		params := captureParams{
			Code:       ops,
			RootSize:   p.Plan.RootSize,
			Depth:      uint32(p.Plan.Limits.OrDefaults().Depth),
			GoidOffset: p.Plan.GoIDOffset,
			FirstSite:  sites,
			Frames:     MaxFrames,
		}
		if p.Plan.Types != nil {
			params.StackOffset = p.Plan.Types.Runtime.G.StackHigh
		}
		if p.NoStack {
			params.Frames = 0
		}
		params.Interval, params.Burst = throttle(p.PerSecond)
		params.Throttle = uint32(i)
		if p.Shares > 0 {
			params.Throttle = uint32(p.Shares - 1)
		}
		if err := maps[captureMapParams].Put(uint32(i), params); err != nil {
			return fmt.Errorf("write the parameters of probe %s: %w", p.Plan.ProbeID, err)
		}
		returns := p.Plan.Returns()
		for _, site := range p.Plan.Sites {
			v := captureSite{Cfa: site.CFAOffset, Routine: p.Plan.RootRoutine(site.Kind), End: endOf(site.Kind, returns)}
			if site.Framed {
				v.Framed = 1
			}
			if p.Plan.Types != nil {
				v.Types = int64(p.Plan.Types.Runtime.Types - site.PC)
			}
			if err := maps[captureMapSites].Put(sites, v); err != nil {
				return fmt.Errorf("write a site of probe %s: %w", p.Plan.ProbeID, err)
			}
			sites++
		}
		for _, op := range p.Plan.Code {
			record = op.AppendRecord(record[:0])
			if err := maps[captureMapCode].Put(ops, record); err != nil {
				return fmt.Errorf("write the byte-code of probe %s: %w", p.Plan.ProbeID, err)
			}
			ops++
		}
		for _, d := range p.Plan.Dynamic {
			record = d.Op.AppendRecord(record[:0])
			if err := maps[captureMapDynamics].Put(captureDynamic{Probe: uint32(i), Offset: d.Offset}, record); err != nil {
				return fmt.Errorf("write the types of probe %s: %w", p.Plan.ProbeID, err)
			}
		}
	}
	return nil
}

// endOf is what a site of a plan, with or without returns, is to its calls (enum
// end in c/layout.h).
func endOf(kind plan.SiteKind, returns bool) uint32 {
	switch {
	case kind.Ends():
		return 2
	case kind == plan.SiteEntry && returns:
		return 1
	}
	return 0
}

// throttle is what one event costs and what an idle probe saves up, in
// nanoseconds (c/throttle.h).
func throttle(perSecond float64) (interval, burst uint64) {
	if perSecond == 0 {
		return 0, 0
	}
	// A week is as good as never, and the product must not overflow.
	const longest = 7 * 24 * 3600 * 1e9
	interval = uint64(min(max(1e9/perSecond, 1), longest))
	tokens := uint64(min(max(perSecond, 1), 1e9))
	return interval, interval * tokens
}
