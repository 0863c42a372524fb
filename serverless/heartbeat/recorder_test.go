package heartbeat_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type sample struct {
	Kind, Name  string
	Value, Rate float64
	Tags        []string
	At          time.Time
}

// recorder is a metrics client whose calls can be held, refused or made to panic.
type recorder struct {
	mu       sync.Mutex
	samples  []sample
	inside   int // calls in progress
	together int // most calls ever in progress at once
	hold     chan struct{}
	before   func() error
}

func (r *recorder) Gauge(name string, value float64, tags []string, rate float64) error {
	return r.record(sample{"gauge", name, value, rate, tags, time.Now()})
}

func (r *recorder) Distribution(name string, value float64, tags []string, rate float64) error {
	return r.record(sample{"distribution", name, value, rate, tags, time.Now()})
}

// Count implements heartbeat.Counter.
func (r *recorder) Count(name string, value int64, tags []string, rate float64) error {
	return r.record(sample{"count", name, float64(value), rate, tags, time.Now()})
}

// of returns the samples of one kind.
func (r *recorder) of(kind string) []sample {
	return slices.DeleteFunc(r.all(), func(s sample) bool { return s.Kind != kind })
}

// seconds are the active seconds of each report.
func (r *recorder) seconds() []float64 {
	var out []float64
	for _, s := range r.of("count") {
		out = append(out, s.Value)
	}
	return out
}

func (r *recorder) setBefore(before func() error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before = before
}

func (r *recorder) record(s sample) error {
	r.mu.Lock()
	r.inside++
	r.together = max(r.together, r.inside)
	hold, before := r.hold, r.before
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.inside--
	}()
	if hold != nil {
		<-hold
	}
	if before != nil {
		if err := before(); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, s)
	return nil
}

func (r *recorder) all() []sample {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]sample(nil), r.samples...)
}

func (r *recorder) count() int { return len(r.all()) }

func (r *recorder) setHold(hold chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hold = hold
}

// logs collects what a logger writes.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logs) lines(containing string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for line := range strings.Lines(l.buf.String()) {
		if strings.Contains(line, containing) {
			n++
		}
	}
	return n
}
