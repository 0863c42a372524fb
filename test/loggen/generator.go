package loggen

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
)

// Line is one generated log.
type Line struct {
	// Time is the clock of the service, in Unix milliseconds.
	Time int64
	// Status is the severity: "debug", "info", "warn" or "error".
	Status string
	// Message is the text without its line feed; some kinds have line feeds
	// inside, and a carriage return at the end. It is valid until the next line.
	Message []byte
}

// Generator makes the lines of one service. It is not safe for concurrent use.
type Generator struct {
	kind   kind
	flows  [][]compiled
	choose dist

	chance chance
	now    int64 // microseconds
	last   [][]byte
	rest   []compiled // of the flow at hand
	buf    []byte

	numbered bool
	number   uint64
}

// compiled is an entry ready to be drawn.
type compiled struct {
	status string
	text   field
}

// epoch is the time before every first line, in Unix microseconds.
const epoch = 1_790_000_000_000_000

// Kinds are the names that New knows, sorted.
func Kinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// New is a generator of a kind. Generators of one kind and seed make the same
// lines.
func New(name string, seed uint64) (*Generator, error) {
	newKind, ok := kinds[name]
	if !ok {
		return nil, fmt.Errorf("no kind %q of logs; there are %s", name, strings.Join(Kinds(), ", "))
	}
	g := &Generator{kind: newKind(), now: epoch}
	// Two kinds with one seed must not draw the same numbers.
	salt := uint64(0)
	for _, c := range []byte(name) {
		salt = salt*131 + uint64(c)
	}
	g.chance.rng = rand.New(rand.NewPCG(seed, salt))
	names := slots{}
	var shares []uint64
	for _, f := range g.kind.flows {
		shares = append(shares, f.weight)
		var lines []compiled
		for _, e := range f.lines {
			text, err := g.kind.compile(e.text, names)
			if err != nil {
				return nil, fmt.Errorf("kind %s: %w", name, err)
			}
			lines = append(lines, compiled{e.status, text})
		}
		g.flows = append(g.flows, lines)
	}
	g.choose = weights(shares...)
	g.last = make([][]byte, len(names))
	return g, nil
}

// Numbered makes every later line carry a number, from first on: "seq=17 " before
// the text, or the member "seq":17 where the line is a JSON object.
func (g *Generator) Numbered(first uint64) { g.numbered, g.number = true, first }

// Bits is the information of everything drawn so far.
func (g *Generator) Bits() float64 { return g.chance.bits }

// Line makes the next line.
func (g *Generator) Line() Line {
	if len(g.rest) == 0 {
		g.rest = g.flows[g.chance.from(g.choose)]
	}
	e := g.rest[0]
	g.rest = g.rest[1:]
	g.now += int64(g.chance.from(g.kind.gaps)) * 1000
	if g.kind.micro {
		g.now += int64(g.chance.below(1000))
	}
	g.buf = e.text(g, g.buf[:0])
	if g.numbered {
		g.buf = number(g.buf, g.number)
		g.number++
	}
	return Line{Time: g.now / 1000, Status: e.status, Message: g.buf}
}

// Write writes n lines, each with a line feed.
func (g *Generator) Write(w io.Writer, n int) error {
	out := bufio.NewWriterSize(w, 1<<16)
	for range n {
		// The writer keeps its error for Flush.
		_, _ = out.Write(g.Line().Message)
		_ = out.WriteByte('\n')
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write lines: %w", err)
	}
	return nil
}
