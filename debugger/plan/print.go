package plan

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/vigil-agent/vigil/debugger/gotype"
)

// String is the kind's name in dumps.
func (k SiteKind) String() string {
	return nameOf(uint8(k), "entry", "return", "line", "tail")
}

// String is the anchor's name in dumps and statuses.
func (a Anchor) String() string {
	return nameOf(uint8(a), "push", "emulated", "stepped")
}

// String is the role's name in dumps.
func (r Role) String() string {
	return nameOf(uint8(r), "argument", "result", "local")
}

// nameOf is the i-th name, counting from 1.
func nameOf(i uint8, names ...string) string {
	if i == 0 || int(i) > len(names) {
		return fmt.Sprintf("?%d", i)
	}
	return names[i-1]
}

// Dump prints the plan for people: its sites, what is read there and from where,
// and the types the variables are made of. What interfaces may hold besides is
// not among them: it differs from build to build. The text is the same for the same binary; only link-time
// addresses and file offsets, written as 0x…, differ between builds.
func (p *Plan) Dump(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "probe %s version %d\n", p.ProbeID, p.ProbeVersion)
	fmt.Fprintf(&b, "function %s\n", p.Function)
	fmt.Fprintf(&b, "declared at %s:%d\n", p.File, p.Line)
	fmt.Fprintf(&b, "goid at g+%d\n", p.GoIDOffset)
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	b.WriteString("sites:\n")
	for _, s := range p.Sites {
		fmt.Fprintf(&b, "  %s %#x, file offset %#x, %s, cfa = rsp%+d", s.Kind, s.PC, s.FileOffset, s.Anchor, s.CFAOffset)
		if s.Framed {
			b.WriteString(", framed")
		}
		if s.Restarts {
			b.WriteString(", restarts")
		}
		if s.To != "" {
			fmt.Fprintf(&b, ", to %s", s.To)
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "variables: %d bytes\n", p.RootSize)
	for _, v := range p.Variables {
		dumpVariable(&b, p.Types, v)
	}
	if d := p.Dictionary; d != nil {
		place := joinPieces(d.Pieces)
		if d.InClosure > 0 {
			place = fmt.Sprintf("in the closure at +%d", d.InClosure)
		}
		fmt.Fprintf(&b, "dictionary: %d words, %s\n", d.Words, place)
	}
	b.WriteString("types:\n")
	for _, id := range p.inReach() {
		dumpType(&b, p.Types, p.Types.Get(id))
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("print plan of %s: %w", p.Function, err)
	}
	return nil
}

// inReach are the types of the variables, those within them, and those that
// pointers in them lead to, in the order they are met level by level.
func (p *Plan) inReach() []gotype.ID {
	if p.Types == nil {
		return nil
	}
	var order, below []gotype.ID
	seen := map[gotype.ID]bool{}
	level := make([]gotype.ID, 0, len(p.Variables))
	for _, v := range p.Variables {
		level = append(level, v.Type)
	}
	for len(level) > 0 {
		below = nil
		for i := 0; i < len(level); i++ {
			t := p.Types.Get(level[i])
			if t == nil || seen[t.ID] {
				continue
			}
			seen[t.ID] = true
			order = append(order, t.ID)
			switch t.Kind {
			case gotype.Pointer, gotype.Map, gotype.Chan:
				below = append(below, t.Elem, t.Key)
			default:
				level = append(level, t.Elem)
			}
			for _, f := range t.Fields {
				level = append(level, f.Type)
			}
		}
		level = below
	}
	return order
}

func dumpVariable(b *bytes.Buffer, types *gotype.Table, v Variable) {
	name, size := "?", uint64(0)
	if t := types.Get(v.Type); t != nil {
		name, size = t.Name, t.Size
	}
	fmt.Fprintf(b, "  %-8s %s %s, %d bytes", v.Role, v.Name, name, size)
	switch {
	case v.Unavailable != "":
		fmt.Fprintf(b, ": %s\n", v.Unavailable)
		return
	case len(v.Pieces) > 0:
		fmt.Fprintf(b, " at +%d:", v.RootOffset)
	}
	if len(v.Pieces) > 0 {
		b.WriteString(" " + joinPieces(v.Pieces))
	}
	if v.Indirect {
		b.WriteString(", which points to it")
	}
	if v.Instance > 0 {
		fmt.Fprintf(b, ", really word %d", v.Instance)
	}
	b.WriteByte('\n')
}

func joinPieces(pieces []Piece) string {
	texts := make([]string, len(pieces))
	for i, piece := range pieces {
		texts[i] = piece.String()
	}
	return strings.Join(texts, ", ")
}

// String is the piece in dumps: "rax" for a register, "[cfa+16]" for the stack,
// and which bytes of the variable it is.
func (p Piece) String() string {
	place := fmt.Sprintf("[cfa%+d]", p.Offset)
	if p.Kind == PieceRegister {
		place = dwarfRegister(p.Reg)
	}
	return fmt.Sprintf("%s -> %d:%d", place, p.Dest, p.Dest+p.Size)
}

// firstVector is the DWARF number of XMM0.
const firstVector = 17

func dwarfRegister(reg uint8) string {
	if reg >= firstVector {
		return fmt.Sprintf("xmm%d", reg-firstVector)
	}
	return registerName(reg)
}

var kindNames = [...]string{
	gotype.Invalid: "invalid", gotype.Bool: "bool", gotype.Int: "int", gotype.Uint: "uint",
	gotype.Uintptr: "uintptr", gotype.Float: "float", gotype.Complex: "complex", gotype.String: "string",
	gotype.UnsafePointer: "unsafe pointer", gotype.Pointer: "pointer", gotype.Struct: "struct",
	gotype.Array: "array", gotype.Slice: "slice", gotype.Map: "map", gotype.Chan: "chan",
	gotype.Func: "func", gotype.Interface: "interface", gotype.Opaque: "opaque",
}

func dumpType(b *bytes.Buffer, types *gotype.Table, t *gotype.Type) {
	kind := "?"
	if int(t.Kind) < len(kindNames) {
		kind = kindNames[t.Kind]
	}
	ref := func(id gotype.ID) string {
		if to := types.Get(id); to != nil {
			return to.Name
		}
		return "not followed"
	}
	fmt.Fprintf(b, "  %s: %s, %d bytes", t.Name, kind, t.Size)
	switch t.Kind {
	case gotype.Pointer, gotype.Slice, gotype.Chan:
		fmt.Fprintf(b, " of %s", ref(t.Elem))
	case gotype.Map:
		fmt.Fprintf(b, " from %s to %s", ref(t.Key), ref(t.Elem))
	case gotype.Array:
		fmt.Fprintf(b, " of %d %s", t.Len, ref(t.Elem))
	case gotype.Interface:
		if t.Empty {
			b.WriteString(" without methods")
		}
	case gotype.Struct:
		var fields []string
		for _, f := range t.Fields {
			text := fmt.Sprintf("%s %s +%d", f.Name, ref(f.Type), f.Offset)
			if f.Embedded {
				text += " embedded"
			}
			fields = append(fields, text)
		}
		fmt.Fprintf(b, " {%s}", strings.Join(fields, "; "))
	}
	b.WriteByte('\n')
}
