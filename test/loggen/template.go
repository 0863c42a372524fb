package loggen

import (
	"fmt"
	"strings"
)

// flow is lines that follow each other. A field's value can be repeated in the
// rest of the flow with {=name}.
type flow struct {
	weight uint64
	lines  []entry
}

// entry is one line of a flow: its status, and a template with fields in braces.
// "{{" is a brace.
type entry struct{ status, text string }

// kind is a sort of service.
type kind struct {
	// gaps are the milliseconds between lines; with micro, one of a thousand
	// microseconds is added.
	gaps   dist
	micro  bool
	fields map[string]field
	// parts are texts with fields of their own, one of which is drawn like pick.
	parts map[string]part
	flows []flow
}

// part is a field made of templates.
type part struct {
	s     float64
	texts []string
}

// slots are the names of fields and where their last values are.
type slots map[string]int

func (s slots) of(name string) int {
	i, ok := s[name]
	if !ok {
		i = len(s)
		s[name] = i
	}
	return i
}

// compile makes a field of a template.
func (k *kind) compile(text string, names slots) (field, error) {
	var steps []field
	literal := ""
	flush := func() {
		if literal != "" {
			text := literal
			steps = append(steps, func(_ *Generator, dst []byte) []byte { return append(dst, text...) })
			literal = ""
		}
	}
	for text != "" {
		before, rest, found := strings.Cut(text, "{")
		literal += before
		if !found {
			break
		}
		if after, ok := strings.CutPrefix(rest, "{"); ok {
			literal, text = literal+"{", after
			continue
		}
		name, after, found := strings.Cut(rest, "}")
		if !found {
			return nil, fmt.Errorf("template %q: a brace is not closed", text)
		}
		text = after
		flush()
		step, err := k.step(name, names)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	flush()
	return func(g *Generator, dst []byte) []byte {
		for _, step := range steps {
			dst = step(g, dst)
		}
		return dst
	}, nil
}

// step is one field of a template.
func (k *kind) step(name string, names slots) (field, error) {
	if name, repeat := strings.CutPrefix(name, "="); repeat {
		i := names.of(name)
		return func(g *Generator, dst []byte) []byte { return append(dst, g.last[i]...) }, nil
	}
	f := k.fields[name]
	if p, ok := k.parts[name]; ok {
		var err error
		if f, err = k.alternative(p, names); err != nil {
			return nil, err
		}
	}
	if f == nil {
		return nil, fmt.Errorf("no field {%s}", name)
	}
	i := names.of(name)
	return func(g *Generator, dst []byte) []byte {
		from := len(dst)
		dst = f(g, dst)
		for len(g.last) <= i {
			g.last = append(g.last, nil)
		}
		g.last[i] = append(g.last[i][:0], dst[from:]...)
		return dst
	}, nil
}

func (k *kind) alternative(p part, names slots) (field, error) {
	d := zipf(len(p.texts), p.s)
	choices := make([]field, len(p.texts))
	for i, text := range p.texts {
		var err error
		if choices[i], err = k.compile(text, names); err != nil {
			return nil, err
		}
	}
	return func(g *Generator, dst []byte) []byte { return choices[g.chance.from(d)](g, dst) }, nil
}
