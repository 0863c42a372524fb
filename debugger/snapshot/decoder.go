package snapshot

import (
	"cmp"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/plan"
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

// Decode reads one event of the layout's plan: what was captured where the
// function was called, where it returned, or at a line. It cannot fail: what the
// event does not hold is marked so in the snapshot. The result refers to the
// event's bytes and is valid until the next call.
func (d *Decoder) Decode(l *Layout, e *event.Event) *Snapshot {
	s := &d.snap
	d.begin(l, e)
	site := l.site(e.Site)
	switch {
	case site != nil && site.Kind.Ends():
		s.readReturn(l, e)
		if e.EntryKtime != 0 && e.Ktime > e.EntryKtime {
			s.duration = e.Ktime - e.EntryKtime
		}
		s.errors = appendError(s.errors, "@entry", "the event of the entry was lost, or was sent before the call returned")
	case site != nil && site.Kind == plan.SiteLine:
		s.line = site.Line
		s.readEntry(l, e)
	default:
		s.readEntry(l, e)
	}
	s.finish(e)
	return s
}

// DecodeCall reads the two events of one call: the snapshot has both captures and
// the duration. The stack is that of the return, the time that of the call.
func (d *Decoder) DecodeCall(l *Layout, entry, ret *event.Event) *Snapshot {
	s := &d.snap
	d.begin(l, entry)
	s.readEntry(l, entry)
	s.readReturn(l, ret)
	if ret.Ktime > entry.Ktime {
		s.duration = ret.Ktime - entry.Ktime
	}
	if len(ret.Stack) == 0 {
		ret = entry
	}
	s.finish(ret)
	return s
}

// DecodeUnfinished reads the entry of a call whose return will not come, for the
// reason given.
func (d *Decoder) DecodeUnfinished(l *Layout, entry *event.Event, why string) *Snapshot {
	s := &d.snap
	d.begin(l, entry)
	s.readEntry(l, entry)
	s.errors = appendError(s.errors, "@duration", why)
	if l.results < len(l.vars) {
		s.errors = appendError(s.errors, returnName, why)
	}
	s.finish(entry)
	return s
}

func (d *Decoder) begin(l *Layout, e *event.Event) {
	s := &d.snap
	s.layout, s.id, s.time = l, d.deps.NewID(), d.deps.Wall(e.Ktime)
	s.goroutine, s.process = e.GoID, d.deps.Process(e)
	s.pid = cmp.Or(s.process.PID, int(e.PID))
	s.line, s.duration, s.entered, s.returned, s.tail = 0, 0, false, false, tail{}
	s.errors = s.errors[:0]
	s.r.begin(l)
	s.r.namer, _ = s.process.Symbols.(TypeNamer)
	s.locals, s.results = 0, 0
}

// readEntry reads arguments and locals.
func (s *Snapshot) readEntry(l *Layout, e *event.Event) {
	s.entered = true
	s.r.event = e
	s.r.index.reset(e.Items, nil)
	s.r.learn(e, false)
	if d := l.plan.Dictionary; d != nil && d.InClosure > 0 && len(s.r.dictionary) > 0 {
		s.r.index.reset(e.Items, l) // the kernel does not look into closures: its items are of the shapes
	}
	s.r.root(l.vars[:l.locals])
	s.locals = len(s.r.values)
	s.r.root(l.vars[l.locals:l.results])
	s.results = len(s.r.values)
	s.addErrors(l.errors[pointEntry])
}

// readReturn reads the results.
func (s *Snapshot) readReturn(l *Layout, e *event.Event) {
	s.returned = true
	s.r.event = e
	s.r.index.reset(e.Items, nil)
	s.r.learn(e, true)
	s.results = len(s.r.values)
	if l.result != nil {
		i := s.r.add(&resultLabel, l.result)
		s.r.values[i].content = contentFields
		s.r.root(l.vars[l.results:])
		s.r.values[i].end = int32(len(s.r.values))
	} else {
		s.r.root(l.vars[l.results:])
	}
	s.addErrors(l.errors[pointReturn])
	s.tail = l.tails[e.Site]
	s.addErrors(s.tail.error)
}

// resultLabel is the name of several results together.
var resultLabel = label{text: returnName, key: []byte(`"` + returnName + `":`)}

func (s *Snapshot) addErrors(members []byte) {
	if len(s.errors) > 0 && len(members) > 0 {
		s.errors = append(s.errors, ',')
	}
	s.errors = append(s.errors, members...)
}

// finish reads the stack.
func (s *Snapshot) finish(e *event.Event) {
	if e.StackID != 0 && len(e.Stack) == 0 {
		s.errors = appendError(s.errors, "@stack", "the event that brought this call stack was lost")
	}
	s.symbolize(e.Stack, s.process.Symbols)
}

// Snapshot is one decoded event, or the two of a call.
type Snapshot struct {
	layout    *Layout
	id        uuid.UUID
	time      time.Time
	pid       int
	goroutine uint64
	process   Process
	r         reader
	// entered and returned say which captures there are. Values are arguments,
	// locals from locals on, results from results on.
	entered, returned bool
	tail              tail // zero for a call that returned
	locals, results   int
	line              int    // that was probed; 0 for a function
	duration          uint64 // nanoseconds
	errors            []byte // members of evaluationErrors
	frames            []Frame
	pcs               []uint64 // the address that frames[i] came from
	scratch           []byte
	symbols           []Frame
	zones             zones
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
	var v variant
	if s.process.Tags != "" {
		v |= withTags
	}
	if s.duration != 0 {
		v |= withDuration
	}
	if len(s.errors) > 0 {
		v |= withErrors
	}
	if len(s.r.active.trace) > 0 {
		v |= withSpan
	}
	segments := s.layout.envelopes[v]
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
	case slotDuration:
		return strconv.AppendUint(dst, s.duration, 10)
	case slotSpan:
		return s.r.active.append(dst)
	case slotErrors:
		return append(append(append(dst, '['), s.errors...), ']')
	}
	return dst
}

// Capture points, as far as what can be read there is concerned.
const (
	pointEntry = iota
	pointReturn
)

// appendCaptures appends the capture points.
func (s *Snapshot) appendCaptures(dst []byte) []byte {
	dst = append(dst, '{')
	if s.entered {
		if s.line != 0 {
			dst = strconv.AppendInt(append(dst, `"lines":{"`...), int64(s.line), 10)
			dst = append(dst, `":{`...)
		} else {
			dst = append(dst, `"entry":{`...)
		}
		dst = s.appendMembers(append(dst, `"arguments":{`...), 0, s.locals)
		if s.locals < s.results {
			dst = append(dst, `},"locals":{`...)
			dst = s.appendMembers(dst, s.locals, s.results)
		}
		dst = append(dst, "}}"...)
		if s.line != 0 {
			dst = append(dst, '}')
		}
	}
	if s.returned {
		if s.entered {
			dst = append(dst, ',')
		}
		dst = append(dst, `"return":{`...)
		if s.results < len(s.r.values) {
			dst = append(s.appendMembers(append(dst, `"locals":{`...), s.results, len(s.r.values)), '}')
		}
		dst = append(dst, '}')
	}
	return append(dst, '}')
}
