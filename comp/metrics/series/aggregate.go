package series

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Reasons to refuse a value.
var (
	// ErrFull means that a bound of Limits is reached until the next Take.
	ErrFull = errors.New("too many metrics in ten seconds")
	// ErrInvalid means that the API could not take the metric: it has no name,
	// or its value is not a finite number.
	ErrInvalid = errors.New("a metric needs a name and a finite value")
)

// Limits bound what an Aggregate holds.
type Limits struct {
	// Contexts is how many points it holds at most.
	Contexts int
	// Values is how many values one distribution holds in one bucket.
	Values int
	// Total is how many values all distributions hold together.
	Total int
}

// DefaultLimits are far above what the agent emits (a few contexts, a value
// every few seconds) and keep an Aggregate below about 2 MB.
func DefaultLimits() Limits { return Limits{Contexts: 2048, Values: 4096, Total: 32768} }

// Aggregate collects values in buckets until they are taken. It is safe for
// concurrent use; Add holds the lock for well below a microsecond.
type Aggregate struct {
	limits Limits
	tags   []string
	host   string

	mu      sync.Mutex
	extra   string // goes on tagged metrics, too; empty for none
	clock   clock
	index   map[string]int // context key to its place in points
	points  []Point
	values  int      // in all distributions
	key     []byte   // scratch
	scratch []string // scratch
}

// NewAggregate returns an empty one. Tags and host go on tagged metrics.
func NewAggregate(limits Limits, tags []string, host string) *Aggregate {
	return &Aggregate{limits: limits, tags: slices.Clone(tags), host: host, index: map[string]int{}}
}

// Retag adds a tag to the tagged metrics added from now on, instead of that of
// the call before; empty for none. A metric that has a tag of the same key keeps
// its own alone.
func (a *Aggregate) Retag(tag string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.extra = tag
}

// HasKeyOf says whether one of tags has the key of tag: what is before the colon.
func HasKeyOf(tags []string, tag string) bool {
	key, _, _ := strings.Cut(tag, ":")
	return slices.ContainsFunc(tags, func(t string) bool {
		return strings.HasPrefix(t, key) && (len(t) == len(key) || t[len(key)] == ':')
	})
}

// Add takes one value. It fails with ErrFull or ErrInvalid; what it fails for is
// not held. It keeps the strings of tags, not the slice.
func (a *Aggregate) Add(now time.Time, scope Scope, kind Kind, name string, value float64, tags []string) error {
	if name == "" || math.IsNaN(value) || math.IsInf(value, 0) {
		return ErrInvalid
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	start := a.clock.bucket(now.Unix())
	host, all := "", a.join(scope, tags)
	if scope == Tagged {
		host = a.host
	}
	a.encodeKey(start, host != "", kind, name, all)
	at, ok := a.index[string(a.key)]
	if !ok {
		if len(a.points) >= a.limits.Contexts || kind == Distribution && a.values >= a.limits.Total {
			return ErrFull
		}
		at = len(a.points)
		a.index[string(a.key)] = at
		a.points = append(a.points, Point{Metric: name, Kind: kind, Time: start, Tags: slices.Clone(all), Host: host})
	}
	return a.put(&a.points[at], value)
}

func (a *Aggregate) put(p *Point, value float64) error {
	switch p.Kind {
	case Gauge:
		p.Value = value
	case Count:
		p.Value += value
	case Distribution:
		if len(p.Values) >= a.limits.Values || a.values >= a.limits.Total {
			return ErrFull
		}
		a.values++
		p.Values = append(p.Values, value)
	}
	p.Samples++
	return nil
}

// join is the metric's tags with what its scope adds, sorted, each once, in
// scratch memory.
func (a *Aggregate) join(scope Scope, tags []string) []string {
	a.scratch = a.scratch[:0]
	if scope == Tagged {
		a.scratch = append(a.scratch, a.tags...)
		if a.extra != "" && !HasKeyOf(tags, a.extra) {
			a.scratch = append(a.scratch, a.extra)
		}
	}
	a.scratch = append(a.scratch, tags...)
	slices.Sort(a.scratch)
	a.scratch = slices.Compact(a.scratch)
	return a.scratch
}

// encodeKey writes what tells two points apart to the scratch key; lengths keep
// apart what a separator inside a tag would join.
func (a *Aggregate) encodeKey(start int64, host bool, kind Kind, name string, tags []string) {
	a.key = binary.BigEndian.AppendUint64(a.key[:0], uint64(start))
	a.key = append(a.key, byte(kind))
	if host {
		a.key[len(a.key)-1] |= 0x80
	}
	a.key = append(binary.AppendUvarint(a.key, uint64(len(name))), name...)
	for _, tag := range tags {
		a.key = append(binary.AppendUvarint(a.key, uint64(len(tag))), tag...)
	}
}

// TakeClosed removes and returns the points of the buckets that are over.
func (a *Aggregate) TakeClosed(now time.Time) []Point {
	a.mu.Lock()
	defer a.mu.Unlock()
	var taken, open []Point
	for _, p := range a.points {
		if closed(p.Time, now.Unix()) {
			taken = append(taken, p)
		} else {
			open = append(open, p)
		}
	}
	if len(taken) == 0 {
		return nil
	}
	for _, p := range taken {
		a.clock.taken(p.Time)
	}
	a.keep(open)
	return taken
}

// TakeAll removes and returns every point, those of the still-open bucket
// included.
func (a *Aggregate) TakeAll(now time.Time) []Point {
	a.mu.Lock()
	defer a.mu.Unlock()
	taken := a.points
	for _, p := range taken {
		a.clock.taken(max(p.Time, now.Unix()-1))
	}
	a.keep(nil)
	return taken
}

// keep makes points all that is held.
func (a *Aggregate) keep(points []Point) {
	a.points, a.values = points, 0
	clear(a.index)
	for i, p := range points {
		a.encodeKey(p.Time, p.Host != "", p.Kind, p.Metric, p.Tags)
		a.index[string(a.key)] = i
		a.values += len(p.Values)
	}
}

// Len is how many points are held.
func (a *Aggregate) Len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.points)
}

// Samples is how many emitted values are held.
func (a *Aggregate) Samples() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	n := 0
	for _, p := range a.points {
		n += p.Samples
	}
	return n
}
