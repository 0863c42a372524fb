package debugger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/calibrate"
	"github.com/vigil-agent/vigil/debugger/control"
	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/probe"
	"github.com/vigil-agent/vigil/debugger/snapshot"
	"github.com/vigil-agent/vigil/debugger/target"
)

// DefaultTracePerSecond is the rate of a trace that names none: more than can
// be read, less than can be felt.
const DefaultTracePerSecond = 100

// TraceOptions say what to watch.
type TraceOptions struct {
	// PID is the process.
	PID int
	// Function is a qualified Go name, or the end of one that fits a single
	// function: "main.handle", "(*Server).Handle"; or a line: "server.go:42".
	Function string
	// Returns waits for each call to return, and shows its results and duration.
	Returns bool
	// Limit ends the trace after so many hits; 0 means no limit.
	Limit int
	// PerSecond bounds the hits that are captured; 0 means
	// DefaultTracePerSecond. The hits above it are counted only.
	PerSecond float64
	// Limits bound one snapshot; fields that are 0 are the defaults.
	Limits plan.Limits
	// OnReady is called once the probe is in place; it may be nil.
	OnReady func(TraceInfo)
	// OnSnapshot is called for each hit, one after the other.
	OnSnapshot func(Hit)
}

// TraceInfo is where the probe was placed. Function, File and Line are those of
// the first place, when there are several.
type TraceInfo struct {
	PID     int    `json:"pid"`
	Exe     string `json:"exe"`
	Service string `json:"service"`
	// Function is the resolved name; File and Line are its declaration, or the line
	// that is probed.
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	// Sites are the probed instructions.
	Sites []SiteStatus `json:"sites"`
	// Notes say what cannot be captured, and why.
	Notes []string `json:"notes,omitempty"`
}

// Hit is one call of the function. Its slices are valid during the callback
// only.
type Hit struct {
	Time      time.Time
	PID       int
	Goroutine uint64
	// JSON is the snapshot's envelope, without a line end.
	JSON []byte
	// Text is the call in one line and its stack below, for a terminal.
	Text []byte
	// Tree is Text with every captured value on a line of its own.
	Tree []byte
}

// TraceEnd is why a trace ended.
type TraceEnd string

// Ends of a trace.
const (
	TraceLimit    TraceEnd = "limit"    // the hits asked for have come
	TraceCanceled TraceEnd = "canceled" // ctx was canceled
	TraceExited   TraceEnd = "exited"   // the process ended, or runs another program
)

// TraceSummary is what a trace has seen.
type TraceSummary struct {
	End TraceEnd `json:"end"`
	Counters
}

// traceWait is how long a trace waits for hits before it looks whether the
// process still runs the program.
const traceWait = 200 * time.Millisecond

// maxLearn is how often a trace is placed again with types that its snapshots met.
const maxLearn = 16

// Trace watches one function or line of a running process until the limit, the end of
// ctx, or the end of the process; none of these is an error. The process is not
// stopped, and nothing is left in it.
//
// Errors say what to do: ErrNoProcess, ErrPermission, ErrNotGo, ErrNotSupported,
// and a function that is not there with the names that look like it. A stripped
// binary can be traced: its hits have a stack and no arguments, and
// TraceInfo.Notes say so.
func Trace(ctx context.Context, o TraceOptions) (TraceSummary, error) {
	if o.Function == "" {
		return TraceSummary{}, errors.New("trace: no function is named: give one like main.handle or main.(*Server).Handle, or a line like server.go:42")
	}
	proc, err := target.Inspect(o.PID)
	if err != nil {
		return TraceSummary{}, fmt.Errorf("trace: %w", err)
	}
	bin, err := binary.Open(proc.ExePath())
	if err != nil {
		return TraceSummary{}, fmt.Errorf("trace pid %d (%s): %w", o.PID, proc.Exe, err)
	}
	definition := probe.Definition{
		ID: "trace", Function: o.Function, Returns: o.Returns, Limits: o.Limits.OrDefaults(),
		SnapshotsPerSecond: cmp.Or(o.PerSecond, DefaultTracePerSecond),
	}
	if file, line, ok := probe.FileLine(o.Function); ok {
		definition.Function, definition.File, definition.Line = "", file, line
	}
	// NewProgram closes the binary, also when it fails.
	resolved := control.Resolve(bin, []probe.Definition{definition}, snapshot.Redaction{})
	t := tracer{options: o, process: proc}
	program, err := control.NewProgram(bin, resolved, control.Options{Costs: calibrate.Costs, Wanted: t.interrupt})
	if failed := resolved[0].Err; failed != nil {
		err = failed
	}
	if err != nil {
		return TraceSummary{}, fmt.Errorf("trace pid %d (%s): %w", o.PID, proc.Exe, err)
	}
	t.program.Store(program)
	end, err := t.run(ctx)
	if err := errors.Join(err, t.program.Load().Detach(proc.PID), t.finish(t.program.Load())); err != nil {
		return TraceSummary{}, fmt.Errorf("trace pid %d (%s): %w", o.PID, proc.Exe, err)
	}
	t.counters.Dropped -= t.unwanted
	return TraceSummary{End: end, Counters: t.counters}, nil
}

// tracer is one Trace.
type tracer struct {
	options TraceOptions
	process target.Process
	program atomic.Pointer[control.Program]
	learned int
	hits    int
	// unwanted hits came after the limit was reached.
	unwanted uint64
	counters Counters
	hit      Hit
}

// finish delivers what a program captured, which is the caller's, and ends it.
func (t *tracer) finish(p *control.Program) error {
	err := errors.Join(p.Drain(t.deliver), p.Close())
	counters, statsErr := p.Counters()
	if len(counters) > 0 {
		t.counters.Add(counters[0])
	}
	return errors.Join(err, statsErr)
}

// learn places the probe again with the types that its snapshots met.
func (t *tracer) learn() error {
	old := t.program.Load()
	if !old.Wanting() || t.learned == maxLearn {
		return nil
	}
	t.learned++
	next, err := old.Successor()
	if err != nil {
		t.learned = maxLearn // the values are missing, and the snapshots say so
		return nil
	}
	t.counters.Replans++
	t.program.Store(next)
	return t.finish(old)
}

func (t *tracer) interrupt() { t.program.Load().Interrupt() }

func (t *tracer) run(ctx context.Context) (TraceEnd, error) {
	if err := t.program.Load().Attach(t.process); err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, t.interrupt)
	defer stop()
	if t.options.OnReady != nil {
		t.options.OnReady(t.info())
	}
	for {
		// Asked before the read, so that the last hits are read after the end.
		running := t.process.Running()
		err := t.program.Load().Read(time.Now().Add(traceWait), t.deliver)
		switch {
		case err != nil && !errors.Is(err, event.ErrMalformed):
			return "", err
		case t.full():
			return TraceLimit, nil
		case ctx.Err() != nil:
			return TraceCanceled, nil
		case !running:
			return TraceExited, nil
		}
		if err := t.learn(); err != nil {
			return "", err
		}
	}
}

func (t *tracer) full() bool { return t.options.Limit > 0 && t.hits >= t.options.Limit }

func (t *tracer) info() TraceInfo {
	installed := t.program.Load().Probes()[0]
	p := installed.Plans()[0]
	return TraceInfo{
		PID: t.process.PID, Exe: t.process.Exe, Service: t.process.Service,
		Function: p.Function, File: p.File, Line: p.Line,
		Sites: installed.Sites(), Notes: append(installed.Notes(), unreadable(installed.Plans())...),
	}
}

// unreadable says which variables cannot be read, and why, those of one reason
// together.
func unreadable(plans []*plan.Plan) (notes []string) {
	type why struct {
		reason     string
		everywhere bool
	}
	var reasons []why
	names := map[why][]string{}
	for _, p := range plans {
		for _, v := range p.Variables {
			if v.Unavailable == "" {
				continue
			}
			same := func(p *plan.Plan) bool {
				return slices.ContainsFunc(p.Variables, func(o plan.Variable) bool { return o.Name == v.Name && o.Unavailable == v.Unavailable })
			}
			w := why{v.Unavailable, !slices.ContainsFunc(plans, func(p *plan.Plan) bool { return !same(p) })}
			if names[w] == nil {
				reasons = append(reasons, w)
			}
			if !slices.Contains(names[w], v.Name) {
				names[w] = append(names[w], v.Name)
			}
		}
	}
	for _, w := range reasons {
		where := "not readable: "
		if !w.everywhere {
			where = "not readable at some of the places: "
		}
		notes = append(notes, where+strings.Join(names[w], ", ")+": "+w.reason)
	}
	return notes
}

// deliver hands one hit to the caller; those beyond the limit are not wanted.
func (t *tracer) deliver(_ *control.Installed, s *snapshot.Snapshot) int {
	if t.full() {
		t.unwanted++
		return -1
	}
	t.hits++
	t.hit.Time, t.hit.PID, t.hit.Goroutine = s.Time(), s.PID(), s.Goroutine()
	t.hit.JSON = s.AppendJSON(t.hit.JSON[:0])
	t.hit.Text = s.AppendText(t.hit.Text[:0])
	t.hit.Tree = s.AppendTree(t.hit.Tree[:0])
	t.options.OnSnapshot(t.hit)
	if t.full() {
		t.interrupt()
	}
	return len(t.hit.JSON)
}
