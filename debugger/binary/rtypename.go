package binary

import (
	"encoding/binary"
	"go/token"
	"strconv"
	"strings"
)

// shortName is the type as reflect prints it: with the last element of the
// package path only.
func (t rtype) shortName() string {
	text, _ := t.b.nameAt(t.b.module.types + uint64(t.u32(rtypeName)))
	if t.flags()&flagExtraStar != 0 {
		text = strings.TrimPrefix(text, "*")
	}
	return text
}

// maxNameParts bounds the parts a name is put together from: "[][]*int" has
// four. A damaged type can be part of itself.
const maxNameParts = 512

// name is the type's name with its full package path, as the debug information
// has it.
func (t rtype) name() string {
	parts := maxNameParts
	return t.compose(&parts)
}

// compose is name with so many parts left.
func (t rtype) compose(parts *int) string {
	if *parts--; t.flags()&flagNamed != 0 {
		return t.qualified()
	}
	part := func(off uint64) string {
		if e, ok := t.b.rtypeAt(off); ok && *parts > 0 {
			return e.compose(parts)
		}
		return "?"
	}
	switch t.kind() {
	case kindPointer:
		return "*" + part(t.elem())
	case kindSlice:
		return "[]" + part(t.elem())
	case kindArray:
		return "[" + strconv.FormatUint(t.word(rtypeArrayLen), 10) + "]" + part(t.elem())
	case kindMap:
		return "map[" + part(t.pointed(rtypeMapKey)) + "]" + part(t.elem())
	case kindFunc:
		return "func" + t.signature(part)
	case kindStruct:
		return t.structName(part)
	case kindInterface:
		return t.interfaceName(part)
	case kindChan:
		prefix := map[uint64]string{1: "<-chan ", 2: "chan<- "}[t.word(rtypeChanDir)]
		if prefix == "" {
			prefix = "chan "
		}
		return prefix + part(t.elem())
	}
	return t.shortName()
}

// qualified puts the package path in place of the package's name.
func (t rtype) qualified() string {
	short := t.shortName()
	u := t.uncommon()
	if u == nil {
		return short
	}
	path, _ := t.b.nameAt(t.b.module.types + uint64(binary.LittleEndian.Uint32(u)))
	plain := short
	if i := strings.IndexByte(plain, '['); i >= 0 {
		plain = plain[:i]
	}
	if dot := strings.LastIndexByte(plain, '.'); dot >= 0 && path != "" {
		return path + short[dot:]
	}
	return short
}

// maxParameters bounds the parameters or results of a function type.
const maxParameters = 1 << 8

// signature is a function type without the word func.
func (t rtype) signature(part func(off uint64) string) string {
	const (
		counts   = 48 // of arguments and of results, 2 bytes each
		variadic = 1 << 15
		list     = 56
	)
	in, out := uint64(t.u32(counts)&0xffff), uint64(t.u32(counts)>>16)
	dots := out&variadic != 0
	out &^= variadic
	at := uint64(list)
	if t.flags()&flagUncommon != 0 {
		at += uncommonSize
	}
	if in > maxParameters || out > maxParameters {
		return "(?)"
	}
	var text strings.Builder
	text.WriteByte('(')
	for i := range in {
		if i > 0 {
			text.WriteString(", ")
		}
		name := part(t.pointed(at + wordSize*i))
		if dots && i == in-1 {
			name = "..." + strings.TrimPrefix(name, "[]")
		}
		text.WriteString(name)
	}
	text.WriteByte(')')
	for i := range out {
		switch {
		case i > 0:
			text.WriteString(", ")
		case out > 1:
			text.WriteString(" (")
		default:
			text.WriteByte(' ')
		}
		text.WriteString(part(t.pointed(at + wordSize*(in+i))))
	}
	if out > 1 {
		text.WriteByte(')')
	}
	return text.String()
}

// structName is that of a struct type without a name.
func (t rtype) structName(part func(off uint64) string) string {
	var fields []string
	for _, f := range t.fields() {
		if len(fields) == maxNameParts {
			break
		}
		text := part(f.typ)
		if !f.embedded {
			text = t.member(f.name) + " " + text
		}
		if f.tag != "" {
			text += " " + strconv.Quote(f.tag)
		}
		fields = append(fields, text)
	}
	if len(fields) == 0 {
		return "struct {}"
	}
	return "struct { " + strings.Join(fields, "; ") + " }"
}

// member is the name of a field or method, with the package path when it is not
// exported.
func (t rtype) member(name string) string {
	const pkgPath = 48
	if token.IsExported(name) {
		return name
	}
	if path, _ := t.b.nameAt(t.word(pkgPath)); path != "" {
		return path + "." + name
	}
	return name
}

// interfaceName is that of an interface type without a name.
func (t rtype) interfaceName(part func(off uint64) string) string {
	var methods []string
	for _, m := range t.imethods() {
		if len(methods) == maxNameParts {
			break
		}
		methods = append(methods, t.member(m.name)+strings.TrimPrefix(part(uint64(m.typ)), "func"))
	}
	if len(methods) == 0 {
		return "interface {}"
	}
	return "interface { " + strings.Join(methods, "; ") + " }"
}

// withoutNumbers drops what the compiler adds to the names of types declared in
// functions: "main.T·1".
func withoutNumbers(name string) string {
	const dot = "·"
	for {
		i := strings.Index(name, dot)
		if i < 0 {
			return name
		}
		end := i + len(dot)
		for end < len(name) && name[end] >= '0' && name[end] <= '9' {
			end++
		}
		name = name[:i] + name[end:]
	}
}
