package snapshot

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/vigil-agent/vigil/debugger/gotype"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// Layout is a plan made ready for decoding: names quoted, redaction decided,
// types linked. It is built once for each plan and then only read, so one
// serves any number of decoders and processes.
type Layout struct {
	plan   *plan.Plan
	limits plan.Limits
	types  []typeInfo // by gotype.ID - 1
	table  *gotype.Table
	behind gotype.Runtime
	hide   *redactor
	vars   []variable
	// locals is the index in vars where arguments end and locals begin, results
	// that where results begin.
	locals, results int
	// result is what several results are shown as; nil when there is at most one.
	result    *typeInfo
	envelopes envelopes
	// errors are the variables that cannot be read, at returns and elsewhere, as
	// members of a JSON array.
	errors [2][]byte
	// tails are the sites that are jumps to other functions.
	tails map[uint32]tail
}

// variable is one captured value at the top of a snapshot.
type variable struct {
	label
	name        string
	typ         *typeInfo
	offset      uint32
	unavailable string // why it cannot be read
	instance    int    // word of the dictionary with its real type, from 1; or 0
	// indirect says that there is a pointer to it instead, which the program does
	// not know of.
	indirect bool
	// captured are, of a closure, the variables in it, which are shown instead.
	closure  bool
	captured []variable
}

// typeInfo is a gotype.Type with what decoding asks of it.
type typeInfo struct {
	id gotype.ID
	// alike is the first type of the same kind and size, which stands for all of
	// them: the bytes of their values at one address are the same.
	alike    gotype.ID
	kind     gotype.Kind
	size     uint64
	elem     *typeInfo
	key      *typeInfo
	entries  *gotype.MapLayout
	count    uint64 // of an array
	fields   []field
	name     []byte // quoted
	goName   string
	short    string // for terminals
	redacted bool
	isTime   bool
	// empty is an interface without methods; isContext is context.Context.
	empty, isContext bool
	// direct says that an interface holds the value itself.
	direct bool
	// anyPointer is the shape of all pointers.
	anyPointer bool
	// plain is how a type of package sync is shown; nil for others.
	plain *plainForm
	// tuple is several results together: their types are its name.
	tuple bool
}

type field struct {
	label
	typ      *typeInfo
	offset   uint64
	embedded bool
}

// unknownType stands for an ID that the table does not have.
var unknownType = &typeInfo{kind: gotype.Opaque, name: []byte(`"?"`), short: "?"}

// NewLayout prepares a plan.
func NewLayout(p *plan.Plan, r Redaction) (*Layout, error) {
	hide := newRedactor(r)
	l := &Layout{plan: p, limits: p.Limits.OrDefaults(), hide: hide}
	l.link(p.Types, hide)
	l.vars = l.addVariables(plan.RoleArgument, hide)
	l.locals = len(l.vars)
	l.vars = l.addVariables(plan.RoleLocal, hide)
	l.results = len(l.vars)
	l.vars = l.addVariables(plan.RoleResult, hide)
	l.nameResults()
	var err error
	if l.envelopes, err = newEnvelopes(p); err != nil {
		return nil, fmt.Errorf("snapshot of %s: envelope: %w", p.Function, err)
	}
	for i := range l.vars {
		at := &l.errors[pointEntry]
		if i >= l.results {
			at = &l.errors[pointReturn]
		}
		if v := &l.vars[i]; v.unavailable != "" {
			*at = appendError(*at, v.name, v.unavailable)
		}
	}
	l.tails = tailsOf(p.Sites)
	return l, nil
}

// tail is what is said of a call that ended by a jump to another function.
type tail struct {
	to    string
	error []byte // why there are no results, as a member of a JSON array
}

func tailsOf(sites []plan.Site) map[uint32]tail {
	tails := map[uint32]tail{}
	for i, site := range sites {
		if site.Kind == plan.SiteTail {
			to := cmp.Or(site.To, "code without a name")
			why := "the call went on in " + to + ", which sets the results: the duration is the time until then"
			tails[uint32(i)] = tail{to, appendError(nil, returnName, why)}
		}
	}
	return tails
}

// returnName is what the result of a function is called.
const returnName = "@return"

// nameResults calls a single result @return, and several by their names, or r0,
// r1 and so on when they have none.
func (l *Layout) nameResults() {
	results := l.vars[l.results:]
	if len(results) == 0 {
		return
	}
	names := make([]string, len(results))
	for i, v := range results {
		names[i] = v.name
		if strings.HasPrefix(v.name, "~r") || v.name == "" || v.name == "_" {
			names[i] = "r" + strconv.Itoa(i)
		}
	}
	if len(results) == 1 {
		names[0] = returnName
	}
	for i, name := range distinct(names) {
		hidden := results[i].redacted
		results[i].label, results[i].name = newLabel(name, l.hide), name
		results[i].redacted = hidden
	}
	if len(results) > 1 {
		l.result = &typeInfo{kind: gotype.Struct, tuple: true}
	}
}

// site is the site of the plan that an event is from; nil when it has none such.
func (l *Layout) site(n uint32) *plan.Site {
	if int(n) >= len(l.plan.Sites) {
		return nil
	}
	return &l.plan.Sites[n]
}

// Plan is the plan the layout was made from.
func (l *Layout) Plan() *plan.Plan { return l.plan }

// addVariables appends the plan's variables with the given role.
func (l *Layout) addVariables(role plan.Role, hide *redactor) []variable {
	var names []string
	for _, v := range l.plan.Variables {
		if v.Role == role {
			names = append(names, v.Name)
		}
	}
	names = distinct(names)
	out := l.vars
	for _, v := range l.plan.Variables {
		if v.Role != role {
			continue
		}
		lab := newLabel(names[0], hide)
		lab.redacted = hide.ident(v.Name)
		out = append(out, variable{
			label:       lab,
			name:        names[0],
			typ:         l.typ(v.Type),
			offset:      v.RootOffset,
			unavailable: v.Unavailable,
			instance:    v.Instance,
		})
		switch last := &out[len(out)-1]; {
		case v.Closure:
			last.closure = true
			last.captured = l.captured(last.typ.elem, v.Instances, hide)
		case v.Indirect:
			last.indirect, last.typ = true, last.typ.elem
		}
		names = names[1:]
	}
	return out
}

// captured are the variables in a closure.
func (l *Layout) captured(closure *typeInfo, instances []int, hide *redactor) []variable {
	t := l.table.Get(closure.id)
	if t == nil {
		return nil
	}
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = strings.TrimPrefix(f.Name, "&")
	}
	vars := make([]variable, len(t.Fields))
	for i, name := range distinct(names) {
		f := &t.Fields[i]
		vars[i] = variable{label: newLabel(name, hide), name: name, typ: l.typ(f.Type), offset: uint32(f.Offset)}
		vars[i].redacted = hide.ident(names[i])
		if strings.HasPrefix(f.Name, "&") {
			vars[i].indirect, vars[i].typ = true, vars[i].typ.elem
		}
		if i < len(instances) {
			vars[i].instance = instances[i]
		}
	}
	return vars
}

func (l *Layout) typ(id gotype.ID) *typeInfo {
	if id == 0 || int(id) > len(l.types) {
		return unknownType
	}
	return &l.types[id-1]
}

// link copies the table into linked typeInfos.
func (l *Layout) link(table *gotype.Table, hide *redactor) {
	if table == nil {
		return
	}
	l.table, l.behind = table, table.Runtime
	l.types = make([]typeInfo, table.Len())
	type form struct {
		kind gotype.Kind
		size uint64
	}
	first := map[form]gotype.ID{}
	for i := range l.types {
		t := table.Get(gotype.ID(i + 1))
		l.types[i] = typeInfo{
			id:       t.ID,
			kind:     t.Kind,
			size:     sizeOf(t),
			elem:     l.typ(t.Elem),
			key:      l.typ(t.Key),
			entries:  t.Map,
			count:    t.Len,
			fields:   l.fields(t.Fields, hide),
			name:     quote(t.Name),
			goName:   t.Name,
			short:    shortType(plain(t.Name)),
			redacted: hide.typ(t.Name),
			isTime:   t.Name == "time.Time" && t.Kind == gotype.Struct && t.Size == timeSize,
			empty:    t.Empty,
		}
		same := form{t.Kind, l.types[i].size}
		if first[same] == 0 {
			first[same] = t.ID
		}
		l.types[i].alike = first[same]
		l.types[i].isContext = t.Name == "context.Context" && t.Kind == gotype.Interface
		l.types[i].anyPointer = t.AnyPointer()
		l.types[i].direct = t.Held == gotype.HeldDirect
		l.types[i].plain = l.plainForm(t)
	}
}

// sizeOf is the size of a type in bytes; what is read as words has the size of
// those words whatever the table says.
func sizeOf(t *gotype.Type) uint64 {
	switch t.Kind {
	case gotype.Pointer, gotype.UnsafePointer, gotype.Map, gotype.Chan, gotype.Func:
		return 8
	case gotype.String, gotype.Interface:
		return 16
	case gotype.Slice:
		return 24
	}
	return t.Size
}

func (l *Layout) fields(fields []gotype.Field, hide *redactor) []field {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	out := make([]field, len(fields))
	for i, name := range distinct(names) {
		lab := newLabel(name, hide)
		lab.redacted, lab.blank = hide.ident(fields[i].Name), fields[i].Name == "_"
		out[i] = field{label: lab, typ: l.typ(fields[i].Type), offset: fields[i].Offset, embedded: fields[i].Embedded}
	}
	return out
}
