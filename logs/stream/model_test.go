package stream

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/record"
)

// world is what surrounds a core: a network that keeps order and may be cut
// anywhere, and strict receiving sides that keep sessions and refuse some lines.
// A broken rule is a panic, which names it.
type world struct {
	core *core
	now  time.Time

	flows map[uint64]*flow // streams by generation
	sides []side

	nextTime int64
	poison   map[int64]bool
	parked   map[int64]bool
	// parking is the line that waits for the answer of the quarantine, 0 for none;
	// slow says that the answer is a step of its own.
	parking  int64
	slow     bool
	held     map[int64]int // how often a line is in a journal
	released int64
	seq      uint64
	changes  map[uint64]map[uint32]string // data sent, by generation and id
	fold     wordState                    // of acknowledged batches
	rows     bool
	largest  int
	// exact says that no batch in doubt has to be divided: then each line is in the
	// journal once.
	exact bool
	// folded says that the state may have changed since it was compared; events
	// counts them.
	folded bool
	events int
}

// flow is one stream on its way to a receiving side.
type flow struct {
	endpoint int
	begun    *effect
	toServer []effect
	acks     []uint32
	state    wordState
	wantID   uint32
	closed   bool // by the client; half-closed where graceful
	drains   bool
}

// side is one receiving side.
type side struct {
	sessions map[string]uint64 // highest durable payload
	epochs   map[string]uint64 // highest epoch that carried a payload
}

func broken(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func newWorld(cfg Config, ladder []Codec, endpoints int) *world {
	for i := range endpoints {
		cfg.Endpoints = append(cfg.Endpoints, Endpoint{Address: strconv.Itoa(i)})
	}
	c, err := newCore(cfg.withDefaults(), ladder, func(d time.Duration) time.Duration { return d })
	if err != nil {
		panic(err)
	}
	ids := 0
	c.newID = func() string { ids++; return strconv.Itoa(ids) }
	w := &world{
		core: c, now: time.Unix(0, 0), flows: map[uint64]*flow{}, poison: map[int64]bool{}, parked: map[int64]bool{},
		held: map[int64]int{}, changes: map[uint64]map[uint32]string{}, rows: ladder[0].Profile() == ProfileRows,
		exact: endpoints == 1 && cfg.MaxDataBytes == 0,
	}
	for range endpoints {
		w.sides = append(w.sides, side{sessions: map[string]uint64{}, epochs: map[string]uint64{}})
	}
	return w
}

// feed gives the core one event and takes its effects into the world.
func (w *world) feed(event func(c *core, now time.Time)) {
	event(w.core, w.now)
	for _, e := range w.core.take() {
		if e.kind == effQuarantine {
			at := e.recs[0].Time
			if e.reason == ReasonPoison && !w.poison[at] {
				broken("line %d is in quarantine for nothing: %v", at, e.err)
			}
			if w.parking != 0 {
				broken("line %d is put into quarantine while line %d is", at, w.parking)
			}
			w.parking = at
			continue
		}
		w.apply(e)
	}
	w.check()
	if !w.slow && w.parking != 0 {
		w.park(nil)
	}
}

// forget drops a stream on which nothing can happen any more.
func (w *world) forget(gen uint64) {
	if f := w.flows[gen]; f != nil && f.closed && len(f.toServer) == 0 {
		delete(w.flows, gen)
	}
}

// park is the answer of the quarantine.
func (w *world) park(err error) {
	at := w.parking
	w.parking = 0
	w.parked[at] = w.parked[at] || err == nil
	w.feed(func(c *core, now time.Time) { c.parked(now, false, err) })
}

func (w *world) apply(e effect) {
	f := w.flows[e.gen]
	switch e.kind {
	case effOpen:
		w.flows[e.gen] = &flow{endpoint: e.endpoint, wantID: 1}
		w.changes[e.gen] = map[uint32]string{}
	case effBegin:
		if f.begun != nil {
			broken("stream %d begins twice", e.gen)
		}
		f.begun = &e
	case effSend:
		if f.begun == nil || f.closed {
			broken("send on stream %d that is not open", e.gen)
		}
		f.toServer = append(f.toServer, e)
		w.changes[e.gen][e.id] = string(e.data)
	case effClose:
		if e.graceful && slices.ContainsFunc(f.acks, func(id uint32) bool { return id != 0 }) {
			broken("a half-close loses acknowledgements that count")
		}
		f.closed, f.drains = true, e.graceful
		delete(w.changes, e.gen)
		w.forget(e.gen)
	case effRelease:
		if e.seq != 0 && e.seq != w.seq+1 {
			broken("Append %d released after %d", e.seq, w.seq)
		}
		w.seq = max(w.seq, e.seq)
		for _, o := range e.origins {
			for at := w.released + 1; at <= o.End; at++ {
				if w.held[at] == 0 && !w.parked[at] {
					broken("line %d released, but neither durable nor in quarantine", at)
				}
			}
			w.released = o.End
		}
	case effReset:
		w.fold, w.folded = wordState{}, true
	default:
	}
}

func (w *world) check() {
	c := w.core
	if l, ok := c.ledger.(*wordLedger); ok && w.folded {
		if got, want := l.state.String(), w.fold.String(); got != want {
			broken("the snapshot %q is not the fold of what was acknowledged %q", got, want)
		}
	}
	w.folded = false
	if bound := c.cfg.sendBound() + 2*w.largest + 1; c.queue.bytes > bound {
		broken("%d bytes are in flight and %d the bound", c.queue.bytes, bound)
	}
	if w.events++; w.events%16 != 0 {
		return
	}
	bytes, lines := 0, 0
	for _, b := range c.queue.items {
		bytes += b.bytes()
		if !b.hollow {
			lines += len(b.recs)
		}
	}
	if bytes != c.queue.bytes || lines != c.queue.lines {
		broken("the queue counts %d bytes and %d lines where there are %d and %d", c.queue.bytes, c.queue.lines, bytes, lines)
	}
}

func (w *world) append(words ...string) {
	var recs []record.Record
	size := 0
	for _, word := range words {
		w.nextTime++
		if word == "poison" {
			w.poison[w.nextTime] = true
		}
		recs = append(recs, record.Record{Time: w.nextTime, Message: []byte(word), Origin: record.Origin{Source: "s", End: w.nextTime}})
		size += recordBytes + len(word) + 64
	}
	w.largest = max(w.largest, size)
	w.feed(func(c *core, now time.Time) { c.append(now, 0, recs) })
}

// receive lets a receiving side take one message, journal it and acknowledge it.
// What was sent before a cut may still arrive.
func (w *world) receive(gen uint64) {
	f := w.flows[gen]
	defer w.forget(gen)
	e := f.toServer[0]
	f.toServer = f.toServer[1:]
	s := &w.sides[f.endpoint]
	begun := f.begun.session
	if e.id > 0 && begun.Epoch < s.epochs[begun.ID] {
		f.toServer = nil // fenced
		return
	}
	if e.id > 0 {
		s.epochs[begun.ID] = begun.Epoch
		if e.id != f.wantID {
			broken("stream %d: batch %d where %d is next", gen, e.id, f.wantID)
		}
		f.wantID++
	} else if f.wantID != 1 {
		broken("stream %d: a snapshot after payloads", gen)
	}
	logs, err := f.state.decode(string(e.data))
	if err != nil {
		broken("stream %d, batch %d: %v", gen, e.id, err)
	}
	if slices.ContainsFunc(logs, func(line string) bool { return strings.HasSuffix(line, " poison") }) {
		w.end(gen, status.Error(codes.InvalidArgument, "poison"))
		f.toServer = nil // nobody reads it any more
		return
	}
	if e.id > 0 {
		seq := f.begun.firstSeq + uint64(e.id) - 1
		last := s.sessions[begun.ID]
		if seq > last+1 {
			broken("stream %d: payload %d after %d, a gap", gen, seq, last)
		}
		if seq == last+1 {
			s.sessions[begun.ID] = seq
			w.journal(logs)
		}
	}
	if !f.closed {
		f.acks = append(f.acks, e.id)
	}
}

func (w *world) journal(logs []string) {
	for _, line := range logs {
		text, _, _ := strings.Cut(line, " ")
		at, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			panic(err)
		}
		w.held[at]++
		if w.exact && w.held[at] > 1 {
			broken("line %d is in the journal twice", at)
		}
		if before := at - 1; before > 0 && w.held[before] == 0 && !w.poison[before] && !w.parked[before] {
			broken("line %d came before its predecessor", at)
		}
	}
}

func (w *world) ack(gen uint64) {
	f := w.flows[gen]
	id := f.acks[0]
	f.acks = f.acks[1:]
	if id > 0 && w.rows {
		w.folded = true
		if _, err := w.fold.decode(w.changes[gen][id]); err != nil {
			panic(err)
		}
	}
	w.feed(func(c *core, now time.Time) { c.ack(now, gen, id, true) })
}

// end cuts a stream: acknowledgements before an error of the receiving side arrive.
func (w *world) end(gen uint64, err error) {
	f := w.flows[gen]
	for len(f.acks) > 0 && !f.closed && status.Code(err) == codes.InvalidArgument {
		w.ack(gen)
	}
	f.acks = nil
	w.feed(func(c *core, now time.Time) { c.ended(now, gen, err) })
}

// gens are the generations with something that pick finds, in order.
func (w *world) gens(pick func(gen uint64, f *flow) bool) []uint64 {
	var out []uint64
	for gen, f := range w.flows {
		if pick(gen, f) {
			out = append(out, gen)
		}
	}
	slices.Sort(out)
	return out
}

func (w *world) connecting() []uint64 {
	return w.gens(func(_ uint64, f *flow) bool { return f.begun == nil && !f.closed })
}

func (w *world) arriving() []uint64 {
	return w.gens(func(_ uint64, f *flow) bool { return len(f.toServer) > 0 })
}

func (w *world) acked() []uint64 {
	return w.gens(func(_ uint64, f *flow) bool { return len(f.acks) > 0 && !f.closed })
}

func (w *world) opened(gen uint64) {
	w.feed(func(c *core, now time.Time) { c.opened(now, gen, true, []string{ProfileColumns, ProfileRows}) })
}

// settle lets the world be kind until nothing is left, and checks the journal.
func (w *world) settle() {
	for step := 0; w.core.queue.len() > 0; step++ {
		if step > 100_000 {
			broken("no progress in state %s with %d lines left", w.core.state, w.core.queue.lines)
		}
		if w.parking != 0 {
			w.park(nil)
		} else if g := w.connecting(); len(g) > 0 {
			w.opened(g[0])
		} else if g := w.acked(); len(g) > 0 {
			w.ack(g[0])
		} else if g := w.arriving(); len(g) > 0 {
			w.receive(g[0])
		} else {
			w.now = w.core.deadline()
			w.feed((*core).tick)
		}
	}
	if w.core.stopping && w.core.state != StateStopped {
		broken("stopping and nothing left, but %s", w.core.state)
	}
	for at := int64(1); at <= w.nextTime; at++ {
		if lost := w.held[at] == 0; lost != w.parked[at] {
			broken("line %d: in the journal %t, in quarantine %t", at, !lost, w.parked[at])
		}
	}
	if w.released != w.nextTime || w.seq != w.core.seq || w.core.queue.bytes != 0 || w.core.queue.lines != 0 {
		broken("released up to %d of %d, Append %d of %d, %d bytes and %d lines counted", w.released, w.nextTime, w.seq, w.core.seq, w.core.queue.bytes, w.core.queue.lines)
	}
}

// step does one random thing that can happen.
func (w *world) step(r *rand.Rand) {
	one := func(gens []uint64, do func(uint64)) {
		if len(gens) > 0 {
			do(gens[r.IntN(len(gens))])
		}
	}
	live := w.gens(func(_ uint64, f *flow) bool { return !f.closed })
	switch k := r.IntN(1000); {
	case k < 250:
		if w.core.hasRoom(w.now) {
			words := make([]string, 1+r.IntN(4))
			for i := range words {
				words[i] = strings.Repeat(string(rune('a'+r.IntN(8))), 1+r.IntN(6))
			}
			if r.IntN(200) == 0 {
				words[0] = "poison"
			}
			if !w.exact && r.IntN(100) == 0 {
				words[len(words)-1] = strings.Repeat("x", 100) // fits into no message of a small bound
			}
			w.append(words...)
		}
	case k < 500:
		one(w.arriving(), w.receive)
	case k < 750:
		one(w.acked(), w.ack)
	case k < 850:
		one(w.connecting(), w.opened)
	case k < 880:
		ends := []error{
			nil, errCut, status.Error(codes.Unauthenticated, ""), status.Error(codes.ResourceExhausted, "busy"), errors.New("transport"),
		}
		one(live, func(gen uint64) { w.end(gen, ends[r.IntN(len(ends))]) })
	case k < 900:
		one(live, func(gen uint64) { w.feed(func(c *core, now time.Time) { c.goAway(now, gen) }) })
	case k < 905:
		w.feed((*core).keyChanged)
	case k < 908:
		if w.parking != 0 {
			var full error
			if r.IntN(4) == 0 {
				full = errors.New("disk full")
			}
			w.park(full)
		}
	case k < 915:
		one(live, func(gen uint64) {
			if f := w.flows[gen]; f.begun != nil && len(f.acks) == 0 {
				w.feed(func(c *core, now time.Time) { c.ack(now, gen, uint32(r.IntN(4)+100), true) })
			}
		})
	case k < 920: // stale
		w.feed(func(c *core, now time.Time) {
			if gen := uint64(r.IntN(int(c.gen) + 1)); gen != c.cur.gen && gen != c.next.gen {
				c.opened(now, gen, false, nil)
				c.ack(now, gen, 1, true)
				c.ended(now, gen, nil)
				c.goAway(now, gen)
			}
		})
	default:
		w.now = w.now.Add([]time.Duration{time.Second, 5 * time.Second, 20 * time.Minute}[r.IntN(3)])
		w.feed((*core).tick)
	}
}

// TestModelRandomWalk checks, over random orders of everything that can happen,
// that nothing is lost or delivered twice within a session, that order holds, that
// the snapshot is the fold of what was acknowledged, and that memory is bounded.
func TestModelRandomWalk(t *testing.T) {
	t.Parallel()
	const total, each = 1_000_000, 5_000
	for run := range uint64(total / each) {
		r := rand.New(rand.NewPCG(run, 1))
		pick := func(of ...int) int { return of[r.IntN(len(of))] }
		word := wordCodec{maxWords: pick(0, 2, 4)}
		ladder := []Codec{word}
		if r.IntN(2) == 0 {
			ladder = []Codec{flowCodec{word}}
		}
		w := newWorld(Config{MaxInflightBytes: pick(1, 500, 5000), MaxDataBytes: pick(0, 60, 80), durable: r.IntN(2) == 0}, ladder, pick(1, 1, 2))
		w.core.lastID = uint32(pick(2, maxBatchID))
		w.slow = r.IntN(2) == 0
		func() {
			defer func() {
				if p := recover(); p != nil {
					t.Fatalf("run %d: %v", run, p)
				}
			}()
			w.feed((*core).start)
			for range each {
				w.step(r)
			}
			if r.IntN(2) == 0 {
				w.feed((*core).stop)
			}
			w.settle()
		}()
	}
}

// TestReplayExhaustively tries every way to interleave up to four batches with up
// to three cuts: the state, the numbers and the order hold in each.
func TestReplayExhaustively(t *testing.T) {
	t.Parallel()
	const batches, cuts = 4, 3
	ways := 0
	seen := map[string]bool{}
	for _, codec := range []Codec{wordCodec{maxWords: 2}, flowCodec{wordCodec{maxWords: 2}}} {
		// A way is a list of choices; walk says how many there were at each.
		var way []int
		for {
			ways++
			choices := walk(t, codec, way, seen, batches, cuts)
			way = nextWay(way, choices)
			if way == nil {
				break
			}
		}
	}
	require.Greater(t, ways, 500)
	t.Logf("%d ways, %d states", ways, len(seen))
}

// key tells states of the world apart.
func (w *world) key(batches, cuts int) string {
	var b strings.Builder
	c := w.core
	fmt.Fprint(&b, batches, cuts, c.state, c.cur.gen, c.cur.open, c.cur.acked, c.next.gen, c.queue.sent, c.queue.outstanding, c.window, w.fold, w.sides, len(w.held))
	for _, q := range c.queue.items {
		fmt.Fprint(&b, ";", q.of, q.id, q.sends, string(q.payload.Data))
	}
	for _, gen := range w.gens(func(uint64, *flow) bool { return true }) {
		f := w.flows[gen]
		fmt.Fprint(&b, ";", gen, f.acks, f.state, f.wantID, f.closed)
		for _, e := range f.toServer {
			fmt.Fprint(&b, ",", e.id, string(e.data))
		}
	}
	return b.String()
}

// nextWay counts up: the last choice that has another alternative takes it.
func nextWay(way, choices []int) []int {
	way = append(way, make([]int, len(choices)-len(way))...)
	for i := len(way) - 1; i >= 0; i-- {
		if way[i]+1 < choices[i] {
			way[i]++
			return way[:i+1]
		}
	}
	return nil
}

// walk follows way, and the first alternative where it ends, up to a state that was
// seen before, and returns how many alternatives there were at each step.
func walk(t *testing.T, codec Codec, way []int, seen map[string]bool, batches, cuts int) []int {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("%s %v: %v", codec.Profile(), way, p)
		}
	}()
	w := newWorld(Config{MaxInflightBytes: 1 << 20, durable: true}, []Codec{codec}, 1)
	w.feed((*core).start)
	var choices []int
	for {
		var can []func()
		if g := w.connecting(); len(g) > 0 {
			can = append(can, func() { w.opened(g[0]) })
		}
		if g := w.arriving(); len(g) > 0 {
			can = append(can, func() { w.receive(g[0]) })
		}
		if g := w.acked(); len(g) > 0 {
			can = append(can, func() { w.ack(g[0]) })
		}
		if batches > 0 && len(can) == 0 || batches > 0 && w.core.state == StateActive {
			can = append(can, func() {
				batches--
				w.append([]string{"a", "b", "c", "a"}[batches], []string{"b", "a", "d", "c"}[batches])
			})
		}
		if cuts > 0 && w.core.state == StateActive {
			can = append(can, func() { cuts--; w.end(w.core.cur.gen, errCut) })
		}
		if len(can) == 0 {
			if w.core.queue.len() == 0 {
				break
			}
			w.now = w.core.deadline()
			w.feed((*core).tick)
			continue
		}
		i := 0
		if len(choices) < len(way) {
			i = way[len(choices)]
		} else {
			key := codec.Profile() + w.key(batches, cuts)
			if seen[key] {
				return choices
			}
			seen[key] = true
		}
		choices = append(choices, len(can))
		can[i]()
	}
	w.settle()
	return choices
}
