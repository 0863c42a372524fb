package explain

import (
	"bytes"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// Text is the report for a terminal.
func (r *Report) Text() []byte {
	var b bytes.Buffer
	for i := range r.Placements {
		if i > 0 {
			b.WriteByte('\n')
		}
		r.Placements[i].text(&b)
	}
	if r.More > 0 {
		fmt.Fprintf(&b, "\nand %d more places\n", r.More)
	}
	if r.Costs.Measured {
		b.WriteString("\nthe costs were measured on this machine\n")
	} else {
		fmt.Fprintf(&b, "\nthe costs are nominal, those of a virtual machine: %s\n", r.Costs.Why)
	}
	return b.Bytes()
}

func (p *Placement) text(b *bytes.Buffer) {
	fmt.Fprintf(b, "%s at %s:%d\n", p.Function, p.File, p.Line)
	if p.Inlined != nil {
		fmt.Fprintf(b, "  inlined into %s at %s:%d\n", p.Inlined.Into, p.Inlined.File, p.Inlined.Line)
	}
	if p.Error != "" {
		fmt.Fprintf(b, "  no probe: %s\n", p.Error)
		return
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, s := range p.Sites {
		fmt.Fprintf(w, "  %s\t%s\t%s\tabout %s a hit\n", s.Kind, s.PC, anchorText(s), time.Duration(s.CostNS))
	}
	_ = w.Flush() // to a buffer
	for _, v := range p.Variables {
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", v.Role, v.Name, clip(v.Type), v.state())
	}
	_ = w.Flush() // to a buffer
	for _, note := range p.Notes {
		fmt.Fprintf(b, "  note: %s\n", note)
	}
	if len(p.Code) > 0 {
		b.WriteString("  byte-code:\n")
	}
	for _, line := range p.Code {
		fmt.Fprintf(b, "    %s\n", line)
	}
}

func anchorText(s Site) string {
	text := s.Anchor
	if s.Restarts {
		text += ", may be hit twice a call"
	}
	if s.To != "" {
		text += ", to " + s.To
	}
	return text
}

// state is where a variable is, or why it cannot be read.
func (v *Variable) state() string {
	text := strings.Join(v.Where, " ")
	switch {
	case !v.Readable:
		text = "not readable: " + v.Reason
	case v.Size == 0:
		text = "no size"
	case v.Reason != "":
		text += " (" + v.Reason + ")"
	}
	switch {
	case v.Resolved:
		text += " (shape type: the real one is known at the hit)"
	case v.Shape:
		text += " (shape type: the real one is not known here)"
	}
	return text
}

// maxType is how much of a type's name fits a line.
const maxType = 60

func clip(name string) string {
	if runes := []rune(name); len(runes) > maxType {
		return string(runes[:maxType-1]) + "…"
	}
	return name
}
