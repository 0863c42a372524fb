package config

import (
	"fmt"
	"slices"
	"strings"
)

// Explanation is everything there is to say about one setting.
type Explanation struct {
	Key  string `json:"key"`
	Doc  string `json:"doc"`
	Type string `json:"type"`
	// Allowed are the values of a setting that has a fixed set of them.
	Allowed []string `json:"allowed,omitempty"`
	// Min and Max are bounds, both included; empty means unbounded.
	Min     string `json:"min,omitempty"`
	Max     string `json:"max,omitempty"`
	Default string `json:"default"`
	Example string `json:"example,omitempty"`
	Secret  bool   `json:"secret,omitempty"`
	// Env are the environment variables, the strongest first.
	Env []EnvName `json:"env,omitempty"`
	// Fields are what each object of a list may hold.
	Fields []Explanation `json:"fields,omitempty"`
	// Value is the effective value, hidden when it is a secret.
	Value string `json:"value,omitempty"`
	// Layers are all that gave a value, the strongest first: the first one is
	// effective. The default is the last.
	Layers []LayerValue `json:"layers,omitempty"`
}

// EnvName is an environment variable that sets a setting.
type EnvName struct {
	Name string `json:"name"`
	// Rule says what it may hold where that differs from the setting.
	Rule       string `json:"rule,omitempty"`
	Deprecated bool   `json:"deprecated,omitempty"`
}

// LayerValue is the value of one layer.
type LayerValue struct {
	Layer string `json:"layer"`
	// Where is the file with line and column, the variable, the key of the
	// flag, or what a derived value comes from.
	Where string `json:"where,omitempty"`
	Value string `json:"value"`
	// Winner marks the effective one.
	Winner bool `json:"winner,omitempty"`
}

// UnknownKeyError is a key that is no setting.
type UnknownKeyError struct {
	Key string
	// Section says that settings lie under the key.
	Section bool
	// Near are the settings of the section, or those that may be meant.
	Near []string
}

// Error says what to ask for instead.
func (e *UnknownKeyError) Error() string {
	switch {
	case e.Section:
		return fmt.Sprintf("%q is a section; ask for one of: %s", e.Key, strings.Join(e.Near, ", "))
	case len(e.Near) > 0:
		return fmt.Sprintf("%q is no setting; did you mean %s?", e.Key, strings.Join(e.Near, " or "))
	default:
		return fmt.Sprintf("%q is no setting; `vigil config` lists them", e.Key)
	}
}

// Describe explains a setting without any configuration. A field inside the
// objects of a list is written "logs.sources[].path". The error is an
// *UnknownKeyError.
func Describe(key string) (Explanation, error) {
	s, err := find(key)
	if err != nil {
		return Explanation{}, err
	}
	return s.explain(key), nil
}

// Explain is Describe with the effective value and every layer that gave one.
func (l *Loaded) Explain(key string) (Explanation, error) {
	s, err := find(key)
	if err != nil {
		return Explanation{}, err
	}
	e := s.explain(key)
	if byKey[s.key] != s {
		return e, nil // a field inside a list: its values are in the list's
	}
	all := l.set[s.key]
	for _, a := range slices.Backward(all) {
		where := a.name
		if where == "" {
			where = a.at.String()
		}
		e.Layers = append(e.Layers, LayerValue{Layer: a.layer, Where: where, Value: s.format(a.data)})
	}
	e.Layers = append(e.Layers, LayerValue{Layer: layerDefault, Value: e.Default})
	e.Layers[0].Winner = true
	e.Value = e.Layers[0].Value
	return e, nil
}

// find returns the setting of a key.
func find(key string) (*setting, error) {
	if s := byKey[key]; s != nil {
		return s, nil
	}
	near := []string{}
	for _, s := range table {
		if s.list == nil {
			continue
		}
		if name, ok := strings.CutPrefix(strings.Replace(key, "[]", "", 1), s.key+"."); ok {
			if f := s.list.field(name); f != nil {
				return f, nil
			}
			names := s.list.names()
			if n := nearest(name, names); n != "" {
				names = []string{n}
			}
			for _, n := range names {
				near = append(near, s.key+"[]."+n)
			}
			return nil, &UnknownKeyError{Key: key, Near: near}
		}
	}
	for _, k := range Keys() {
		if strings.HasPrefix(k, key+".") {
			near = append(near, k)
		}
	}
	if len(near) > 0 {
		return nil, &UnknownKeyError{Key: key, Section: true, Near: near}
	}
	if k := nearest(key, Keys()); k != "" {
		near = append(near, k)
	} else {
		last := normal(key[strings.LastIndexByte(key, '.')+1:])
		for _, s := range table {
			if s.name() == last || edits(s.name(), last) == 1 {
				near = append(near, s.key)
			}
		}
	}
	return nil, &UnknownKeyError{Key: key, Near: near}
}

// explain is what the table says about a setting under a key.
func (s *setting) explain(key string) Explanation {
	e := Explanation{Key: key, Doc: s.doc, Type: s.kind.name(), Allowed: s.values, Example: s.example, Secret: s.secret}
	if s.bounded() {
		e.Min, e.Max = s.formatNumber(s.min), s.formatNumber(s.max)
	}
	if byKey[s.key] != s {
		return e // a field of an object has no variable; its default is the list's business
	}
	e.Default = s.format(s.defaultValue())
	e.Env = append(e.Env, EnvName{Name: s.env()})
	for _, a := range s.aliases {
		e.Env = append(e.Env, EnvName{Name: a.name, Rule: a.rule, Deprecated: a.replacement != ""})
	}
	if s.list != nil {
		element := s.list.element()
		for i := range s.list.fields {
			f := &s.list.fields[i]
			field := f.explain(f.key)
			field.Default = f.format(f.load(element))
			e.Fields = append(e.Fields, field)
		}
	}
	return e
}

// String is the explanation for a terminal.
func (e Explanation) String() string {
	var out strings.Builder
	out.WriteString(e.Key + "\n" + wrap(e.Doc, "  ", 78) + "\n")
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&out, "  %-9s %s\n", name, value)
		}
	}
	row("type", e.typeText())
	row("default", e.Default)
	row("example", strings.ReplaceAll(e.Example, "\n", "\n            "))
	for i, env := range e.Env {
		name := ""
		if i == 0 {
			name = "env"
		}
		fmt.Fprintf(&out, "  %-9s %s\n", name, env)
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&out, "\n  %s (%s", f.Key, f.typeText())
		if f.Default != "" {
			fmt.Fprintf(&out, ", default %s", f.Default)
		}
		out.WriteString(")\n" + wrap(f.Doc, "    ", 78))
	}
	if len(e.Layers) == 0 {
		return out.String()
	}
	out.WriteString("\n")
	row("value", e.Value)
	for _, l := range e.Layers {
		mark := " "
		if l.Winner {
			mark = ">"
		}
		where := l.Layer
		if l.Where != "" {
			where += " " + l.Where
		}
		fmt.Fprintf(&out, "  %s %s = %s\n", mark, where, l.Value)
	}
	return out.String()
}

// typeText is the type with what bounds it.
func (e Explanation) typeText() string {
	switch {
	case len(e.Allowed) > 0:
		return oneOf(e.Allowed)
	case e.Min != "":
		return fmt.Sprintf("%s, %s to %s", e.Type, e.Min, e.Max)
	default:
		return e.Type
	}
}

// String is the name with what there is to know about it.
func (n EnvName) String() string {
	text := n.Name
	if n.Rule != "" {
		text += " (" + n.Rule + ")"
	}
	if n.Deprecated {
		text += " (deprecated)"
	}
	return text
}

// wrap breaks text into indented lines of at most width characters.
func wrap(text, indent string, width int) string {
	var out strings.Builder
	line := indent
	for word := range strings.FieldsSeq(text) {
		if line != indent && len(line)+1+len(word) > width {
			out.WriteString(line + "\n")
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	out.WriteString(line + "\n")
	return out.String()
}
