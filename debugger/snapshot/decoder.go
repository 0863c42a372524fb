package snapshot

import (
	"cmp"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/vigil-agent/vigil/debugger/event"
)

// Process is what a snapshot says about the process it was taken in.
type Process struct {
	// PID is the number it is known by to who reads the snapshot; 0 means that
	// of the event.
	PID int
	// Service is the service's name.
	Service string
	// Tags are "key:value" joined by commas; empty omits them.
	Tags string
	// Symbols names the addresses of its stack; nil leaves them as numbers.
	Symbols Symbolizer
}

// Deps are what a Decoder needs besides plans and events.
type Deps struct {
	// Wall converts an event's CLOCK_MONOTONIC nanoseconds to wall time.
	Wall func(ktime uint64) time.Time
	// Process answers for the process an event came from. A plan serves many
	// processes of many services.
	Process func(e *event.Event) Process
	// NewID makes the snapshot's id; nil means random UUIDs.
	NewID func() uuid.UUID
}

// Decoder decodes events one after the other; it is not for concurrent use.
type Decoder struct {
	deps Deps
	snap Snapshot
}

// NewDecoder returns a decoder.
func NewDecoder(deps Deps) *Decoder {
	if deps.NewID == nil {
		deps.NewID = newIDPool().next
	}
	return &Decoder{deps: deps, snap: Snapshot{zones: zones{}}}
}

// Decode reads one event of the layout's plan. It cannot fail: what the event
// does not hold is marked so in the snapshot. The result refers to the event's
// bytes and is valid until the next call.
func (d *Decoder) Decode(l *Layout, e *event.Event) *Snapshot {
	s := &d.snap
	s.layout, s.id, s.time = l, d.deps.NewID(), d.deps.Wall(e.Ktime)
	s.goroutine, s.process = e.GoID, d.deps.Process(e)
	s.pid = cmp.Or(s.process.PID, int(e.PID))
	s.r.reset(l, e)
	s.r.namer, _ = s.process.Symbols.(TypeNamer)
	s.r.root()
	s.symbolize(e.Stack, s.process.Symbols)
	return s
}

// Snapshot is one decoded event.
type Snapshot struct {
	layout    *Layout
	id        uuid.UUID
	time      time.Time
	pid       int
	goroutine uint64
	process   Process
	r         reader
	frames    []Frame
	pcs       []uint64 // the address that frames[i] came from
	scratch   []byte
	symbols   []Frame
	zones     zones
}

// Time is when the probe was hit.
func (s *Snapshot) Time() time.Time { return s.time }

// PID is the process.
func (s *Snapshot) PID() int { return s.pid }

// Goroutine is the number of the goroutine; 0 when it was not readable.
func (s *Snapshot) Goroutine() uint64 { return s.goroutine }

// UnknownTypes are the dynamic types of interfaces that the plan does not know,
// by their distance from runtime.types: a plan that is made with them
// (plan.Definition.Types) captures their values. The slice is valid until the
// next Decode.
func (s *Snapshot) UnknownTypes() []uint64 { return s.r.unknown }

// AppendJSON appends the envelope, without a line end.
func (s *Snapshot) AppendJSON(dst []byte) []byte {
	segments := s.layout.envelopes.plain
	if s.process.Tags != "" {
		segments = s.layout.envelopes.tagged
	}
	for i := range segments {
		dst = append(dst, segments[i].text...)
		dst = s.appendSlot(dst, segments[i].slot)
	}
	return dst
}

func (s *Snapshot) appendSlot(dst []byte, slot slotOf) []byte {
	switch slot {
	case slotService:
		return s.appendString(dst, s.process.Service)
	case slotProcessTags:
		return s.appendString(dst, s.process.Tags)
	case slotTimestamp:
		return strconv.AppendInt(dst, s.time.UnixMilli(), 10)
	case slotGoroutine:
		return strconv.AppendUint(dst, s.goroutine, 10)
	case slotSnapshotID:
		return append(appendID(append(dst, '"'), s.id), '"')
	case slotStack:
		return s.appendStack(dst)
	case slotCaptures:
		return s.appendCaptures(dst)
	}
	return dst
}

// appendCaptures appends the one capture point there is, the entry.
func (s *Snapshot) appendCaptures(dst []byte) []byte {
	locals := s.variable(s.layout.locals)
	dst = append(dst, `{"entry":{`...)
	dst = append(dst, `"arguments":{`...)
	dst = s.appendMembers(dst, 0, locals)
	if locals < len(s.r.values) {
		dst = append(dst, `},"locals":{`...)
		dst = s.appendMembers(dst, locals, len(s.r.values))
	}
	return append(dst, "}}}"...)
}

// variable is the position of the n-th variable's value.
func (s *Snapshot) variable(n int) int {
	i := 0
	for range n {
		i = int(cmp.Or(s.r.values[i].end, int32(i+1)))
	}
	return i
}
