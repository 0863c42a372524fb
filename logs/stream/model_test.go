package stream

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/logs/record"
)

// model is a world around a core: a network that keeps order and may be cut
// anywhere, and a strict receiving side.
type model struct {
	t    *rapid.T
	core *core
	now  time.Time

	// The receiving side of the current stream.
	opening  bool
	openGen  uint64
	toServer []effect // sent and not received
	acks     []uint32 // acknowledged and not seen by the core
	server   wordState
	wantID   uint32
	first    bool

	nextTime int64
	durable  []int64        // times in the order of the journal
	held     map[int64]bool // times in the journal
	released int64          // the last time released
	seq      uint64         // the last Append released in full
	fold     wordState      // of acknowledged batches
	inFold   map[uint32]string
	largest  int
}

func newModel(t *rapid.T) *model {
	cfg := Config{
		MaxInflightBytes: rapid.SampledFrom([]int{1, 500, 5000}).Draw(t, "inflight"),
		MaxDataBytes:     rapid.SampledFrom([]int{40, 1 << 20}).Draw(t, "snapshot limit"),
	}.withDefaults()
	codec := wordCodec{maxWords: rapid.SampledFrom([]int{0, 2, 4}).Draw(t, "words"), maxData: rapid.SampledFrom([]int{0, 80}).Draw(t, "data limit")}
	c, err := newCore(cfg, codec, func(d time.Duration) time.Duration { return d })
	require.NoError(t, err)
	c.lastID = uint32(rapid.SampledFrom([]int{2, maxBatchID}).Draw(t, "last id"))
	return &model{t: t, core: c, now: time.Unix(0, 0), held: map[int64]bool{}}
}

// feed gives the core one event and takes its effects into the world.
func (m *model) feed(event func(c *core, now time.Time)) {
	event(m.core, m.now)
	for _, e := range m.core.take() {
		switch e.kind {
		case effOpen:
			m.opening, m.openGen = true, e.gen
			m.reset()
		case effSend:
			require.Equal(m.t, m.openGen, e.gen)
			require.False(m.t, m.opening, "nothing is sent before the stream is open")
			m.toServer = append(m.toServer, e)
			m.inFold[e.id] = string(e.data)
		case effClose:
			if e.graceful {
				require.Empty(m.t, slices.DeleteFunc(m.acks, func(id uint32) bool { return id == 0 }), "a half-close must not lose acknowledgements that count")
			}
			m.opening = false
			m.reset()
		case effRelease:
			require.True(m.t, e.seq == 0 || e.seq == m.seq+1, "each Append ends with one release")
			m.seq = max(m.seq, e.seq)
			for _, o := range e.origins {
				require.Greater(m.t, o.End, m.released, "released in order")
				require.True(m.t, m.held[o.End], "released only what is durable")
				m.released = o.End
			}
		case effReset:
			m.fold = wordState{}
		case effDrop:
			m.t.Fatalf("dropped %v", e.origins)
		}
	}
	require.Equal(m.t, m.fold.String(), ledgerText(m.core), "the snapshot is the fold of what was acknowledged")
	require.Less(m.t, m.core.queue.bytes, m.core.cfg.MaxInflightBytes+m.largest+1)
}

func ledgerText(c *core) string {
	l, _ := c.ledger.(*wordLedger)
	return l.state.String()
}

func (m *model) reset() {
	m.toServer, m.acks, m.server = nil, nil, wordState{}
	m.wantID, m.first = 1, true
	m.inFold = map[uint32]string{}
}

func (m *model) append(t *rapid.T) {
	if !m.core.hasRoom() {
		t.Skip("full")
	}
	var recs []record.Record
	size := 0
	for range rapid.IntRange(1, 4).Draw(t, "lines") {
		m.nextTime++
		word := rapid.SampledFrom([]string{"a", "bb", "ccc", "dddd", "eeeee", "ffffff"}).Draw(t, "word")
		recs = append(recs, record.Record{Time: m.nextTime, Message: []byte(word), Origin: record.Origin{Source: "s", End: m.nextTime}})
		size += recordBytes + len(word) + 64
	}
	m.largest = max(m.largest, size)
	m.feed(func(c *core, now time.Time) { c.append(now, recs) })
}

func (m *model) opened(t *rapid.T) {
	if !m.opening {
		t.Skip("nothing opens")
	}
	m.opening = false
	m.feed(func(c *core, now time.Time) { c.opened(now, m.openGen) })
}

// receive lets the server take one message, journal it and acknowledge it.
func (m *model) receive(t *rapid.T) {
	if len(m.toServer) == 0 {
		t.Skip("nothing is on its way")
	}
	e := m.toServer[0]
	m.toServer = m.toServer[1:]
	if !m.first || e.id != 0 {
		require.Equal(t, m.wantID, e.id, "ids count up from 1")
		m.wantID++
	}
	m.first = false
	logs, err := m.server.decode(string(e.data))
	require.NoError(t, err, "batch %d of stream %d", e.id, e.gen)
	for _, line := range logs {
		var at int64
		for _, ch := range line {
			if ch == ' ' {
				break
			}
			at = at*10 + int64(ch-'0')
		}
		m.durable = append(m.durable, at)
		m.held[at] = true
	}
	m.acks = append(m.acks, e.id)
}

func (m *model) ack(t *rapid.T) {
	if len(m.acks) == 0 {
		t.Skip("nothing is acknowledged")
	}
	id := m.acks[0]
	m.acks = m.acks[1:]
	if id > 0 {
		_, err := m.fold.decode(m.inFold[id])
		require.NoError(t, err)
	}
	gen := m.openGen
	m.feed(func(c *core, now time.Time) { c.ack(now, gen, id, true) })
}

func (m *model) live(t *rapid.T) {
	if m.opening || (m.core.state != StateActive && m.core.state != StateDraining) {
		t.Skip("no stream")
	}
}

// TestModelRandomWalk checks, over random orders of everything that can happen,
// that nothing is lost, that order holds, that the snapshot is the fold of what
// was acknowledged, and that memory is bounded.
func TestModelRandomWalk(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newModel(t)
		m.reset()
		m.feed((*core).start)
		ends := []error{
			nil, status.Error(codes.Unavailable, ""), status.Error(codes.Unauthenticated, ""), status.Error(codes.InvalidArgument, ""),
			status.Error(codes.ResourceExhausted, "larger than max"), status.Error(codes.ResourceExhausted, "busy"),
		}
		actions := map[string]func(*rapid.T){
			"append":  m.append,
			"opened":  m.opened,
			"receive": m.receive,
			"ack":     m.ack,
			"cut": func(t *rapid.T) {
				gen, err := m.openGen, rapid.SampledFrom(ends).Draw(t, "error")
				m.feed(func(c *core, now time.Time) { c.ended(now, gen, err) })
			},
			"go away": func(*rapid.T) { m.feed(func(c *core, now time.Time) { c.goAway(now, m.openGen) }) },
			"wrong ack": func(t *rapid.T) {
				m.live(t)
				id := rapid.Uint32Range(0, 4).Draw(t, "id")
				if m.core.queue.sent > 0 && m.core.queue.items[0].id == id {
					t.Skip("that is the right one")
				}
				m.feed(func(c *core, now time.Time) { c.ack(now, m.openGen, id, true) })
			},
			"reject": func(t *rapid.T) {
				m.live(t)
				m.feed(func(c *core, now time.Time) { c.ack(now, m.openGen, 1, false) })
			},
			"time": func(t *rapid.T) {
				m.now = m.now.Add(rapid.SampledFrom([]time.Duration{time.Second, 10 * time.Second, 20 * time.Minute}).Draw(t, "sleep"))
				m.feed((*core).tick)
			},
			"stale": func(t *rapid.T) {
				gen := m.openGen - uint64(rapid.IntRange(1, 3).Draw(t, "age"))
				before := m.core.state
				m.feed(func(c *core, now time.Time) {
					c.opened(now, gen)
					c.ack(now, gen, 1, true)
					c.ended(now, gen, nil)
					c.goAway(now, gen)
				})
				require.Equal(t, before, m.core.state)
			},
		}
		t.Repeat(actions)
		if rapid.Bool().Draw(t, "stop") {
			m.feed((*core).stop)
		}
		m.settle(t)
	})
}

// settle lets the world be kind until nothing is left, and checks the journal.
func (m *model) settle(t *rapid.T) {
	for step := 0; m.core.queue.len() > 0; step++ {
		require.Less(t, step, 100_000, "no progress in state %s", m.core.state)
		switch {
		case m.opening:
			m.opened(t)
		case len(m.acks) > 0:
			m.ack(t)
		case len(m.toServer) > 0:
			m.receive(t)
		default:
			m.now = m.core.deadline()
			m.feed((*core).tick)
		}
	}
	if m.core.stopping {
		require.Equal(t, StateStopped, m.core.state)
	}
	next := int64(1)
	for _, at := range m.durable {
		require.LessOrEqual(t, at, next, "a line came before its predecessor")
		if at == next {
			next++
		}
	}
	require.Equal(t, m.nextTime+1, next, "every line is in the journal")
	require.Equal(t, m.nextTime, m.released, "every line is released")
	require.Equal(t, m.core.seq, m.seq)
	require.Zero(t, m.core.queue.bytes)
	require.Zero(t, m.core.queue.lines)
}
