package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

// logSampleEvery is how often a log line is shown; all are counted.
const logSampleEvery = time.Second

// heartbeatMetric is the metric that says "this instance is alive".
const heartbeatMetric = "aws.lambda.enhanced.microvm.active_instances"

// view counts what arrives and shows some of it, a line each.
type view struct {
	stacks bool
	start  time.Time

	mu         sync.Mutex // guards everything below
	out        io.Writer
	lines      int
	rawBytes   int
	wireBytes  float64
	heartbeats int
	snapshots  int
	shownLog   time.Time
	// shownMetrics are the names that were shown.
	shownMetrics map[string]bool
	lastStack    []string
}

func newView(out io.Writer, stacks bool) *view {
	return &view{out: out, stacks: stacks, start: time.Now(), shownMetrics: map[string]bool{}}
}

func (v *view) print(label, format string, args ...any) {
	fmt.Fprintf(v.out, "%-10s "+format+"\n", append([]any{label}, args...)...)
}

func (v *view) started(shop, agent int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.print("running", "service pid %d, agent pid %d; Enter shows the stack of the last snapshot, Ctrl-C ends it", shop, agent)
}

// agentLine shows what goes wrong in the agent, a degraded engine above all, and
// leaves out its advice for production.
func (v *view) agentLine(line []byte) {
	var record struct{ Level, Msg, Reason, Fix, Error string }
	if json.Unmarshal(line, &record) != nil {
		record.Level, record.Msg = "ERROR", string(line) // not a log record: a crash, or a refusal to start
	}
	if record.Level != "ERROR" && record.Reason+record.Error == "" {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.print("agent", "%s", strings.TrimSuffix(record.Msg+": "+record.Reason+record.Error, ": "))
	if record.Fix != "" {
		v.print("", "fix: %s", record.Fix)
	}
}

// metric shows a DogStatsD line: every heartbeat, and any other metric when it
// comes first.
func (v *view) metric(line string) {
	name, rest, ok := strings.Cut(line, ":")
	if !ok {
		return
	}
	value, rest, _ := strings.Cut(rest, "|")
	_, tags, _ := strings.Cut(rest, "#")
	v.mu.Lock()
	defer v.mu.Unlock()
	label := "metric"
	if name == heartbeatMetric {
		label = "heartbeat"
		v.heartbeats++
	} else if v.shownMetrics[name] {
		return
	}
	v.shownMetrics[name] = true
	v.print(label, "%s=%s %s", name, value, instanceTags(tags))
}

// instanceTags leaves the tags that name the instance and counts the others.
func instanceTags(tags string) string {
	all := strings.Split(tags, ",")
	shown := slices.DeleteFunc(slices.Clone(all), func(tag string) bool {
		name, _, _ := strings.Cut(tag, ":")
		return !slices.Contains([]string{"lambda_microvm_id", "image_name", "region"}, name)
	})
	return fmt.Sprintf("%s and %d more tags", strings.Join(shown, " "), len(all)-len(shown))
}

// logLine counts a line of the journal and shows one a second.
func (v *view) logLine(line []byte) {
	var entry struct {
		Message   string  `json:"message"`
		WireBytes float64 `json:"wire_bytes"`
	}
	if json.Unmarshal(line, &entry) != nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lines++
	v.rawBytes += len(entry.Message) + 1
	v.wireBytes += entry.WireBytes
	if time.Since(v.shownLog) < logSampleEvery {
		return
	}
	v.shownLog = time.Now()
	v.print("log", "%d bytes, %.1f on the wire: %s", len(entry.Message)+1, entry.WireBytes, entry.Message)
}

// snapshot shows what a call of the probed function was given.
func (v *view) snapshot(line []byte) {
	call, stack, err := readSnapshot(line)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil {
		v.print("snapshot", "not understood: %v", err)
		return
	}
	v.snapshots++
	v.lastStack = stack
	v.print("snapshot", "%s", call)
	if v.stacks {
		v.printStack()
	}
}

// stack shows the stack of the last snapshot.
func (v *view) stack() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.lastStack == nil {
		v.print("stack", "no snapshot yet")
		return
	}
	v.printStack()
}

func (v *view) printStack() {
	for _, frame := range v.lastStack {
		v.print("", "  at %s", frame)
	}
}

func (v *view) summary() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.print("summary", "%s", v.counts())
}

func (v *view) total(dir string, kept bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.print("total", "%s", v.counts())
	if kept {
		v.print("", "configuration, journal and snapshots are in %s", dir)
	}
}

func (v *view) counts() string {
	ratio := 0.0
	if v.rawBytes > 0 {
		ratio = v.wireBytes / float64(v.rawBytes)
	}
	return fmt.Sprintf("after %s: log lines %d, wire bytes per raw byte %.3f, snapshots %d, heartbeats %d",
		time.Since(v.start).Round(time.Second), v.lines, ratio, v.snapshots, v.heartbeats)
}
