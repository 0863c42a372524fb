package bpf

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// render prints the variables of an event in a form without addresses, so that
// tests can compare everything that was captured. What was not captured is a
// question mark, what was clipped ends in its reason, and a pointer back into
// what is being printed is &^.
func render(p *plan.Plan, e *event.Event) []string {
	r := renderer{p.Types, e}
	var out []string
	for _, v := range p.Variables {
		t := p.Types.Get(v.Type)
		text := v.Unavailable
		if text == "" {
			text = r.value(t, e.Items[0].Data[v.RootOffset:][:t.Size], nil)
			if e.Unread(v.RootOffset, uint32(t.Size)) {
				text += " (partly unread)"
			}
		}
		out = append(out, v.Name+" = "+text)
	}
	return out
}

type renderer struct {
	types *gotype.Table
	e     *event.Event
}

// find is the longest item of a type at an address.
func (r renderer) find(id gotype.ID, addr uint64) *event.Item {
	var best *event.Item
	for i := range r.e.Items[1:] {
		item := &r.e.Items[i+1]
		if item.Type == id && item.Addr == addr && (best == nil || len(item.Data) > len(best.Data)) {
			best = item
		}
	}
	return best
}

func (r renderer) value(t *gotype.Type, b []byte, path []uint64) string {
	if uint64(len(b)) < t.Size {
		return "?"
	}
	le := binary.LittleEndian
	var word [8]byte
	copy(word[:], b)
	n := le.Uint64(word[:])
	switch t.Kind {
	case gotype.Bool:
		return fmt.Sprint(n != 0)
	case gotype.Int:
		shift := 64 - 8*t.Size
		return fmt.Sprint(int64(n<<shift) >> shift)
	case gotype.Uint:
		return fmt.Sprint(n)
	case gotype.Float:
		return fmt.Sprint(math.Float64frombits(n))
	case gotype.Pointer:
		if n == 0 {
			return "nil"
		}
		if slices.Contains(path, n) {
			return "&^"
		}
		elem := r.types.Get(t.Elem)
		item := r.find(elem.ID, n)
		if item == nil {
			return "&?"
		}
		return "&" + r.clipped(r.value(elem, pad(item, elem), append(path, n)), item)
	case gotype.String, gotype.Slice:
		size := le.Uint64(b[8:])
		item := r.find(t.ID, n)
		switch {
		case size == 0:
			item = &event.Item{}
		case item == nil:
			return fmt.Sprintf("%d?", size)
		}
		text := fmt.Sprintf("%q", item.Data)
		if t.Kind == gotype.Slice {
			text = r.elements(r.types.Get(t.Elem), item.Data, path)
		}
		if item.Reason != event.ReasonNone {
			text = fmt.Sprintf("%d of %d: %s", len(item.Data), size, text)
		}
		return r.clipped(text, item)
	case gotype.Array:
		return r.elements(r.types.Get(t.Elem), b[:t.Size], path)
	case gotype.Struct:
		var fields []string
		for _, f := range t.Fields {
			ft := r.types.Get(f.Type)
			fields = append(fields, f.Name+":"+r.value(ft, b[f.Offset:][:ft.Size], path))
		}
		return "{" + strings.Join(fields, " ") + "}"
	}
	return "?"
}

// pad makes a clipped pointee long enough to look at.
func pad(item *event.Item, t *gotype.Type) []byte {
	b := make([]byte, t.Size)
	copy(b, item.Data)
	return b
}

func (r renderer) clipped(text string, item *event.Item) string {
	if item.Reason != event.ReasonNone {
		text += "<" + item.Reason.String() + ">"
	}
	return text
}

// elements prints at most four.
func (r renderer) elements(elem *gotype.Type, b []byte, path []uint64) string {
	var out []string
	for at := uint64(0); at+elem.Size <= uint64(len(b)); at += elem.Size {
		if len(out) == 4 {
			out = append(out, fmt.Sprintf("… %d", uint64(len(b))/elem.Size))
			break
		}
		out = append(out, r.value(elem, b[at:][:elem.Size], path))
	}
	return "[" + strings.Join(out, " ") + "]"
}
