package plan

import (
	"slices"
	"strings"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/goabi"
	"github.com/vigil-agent/vigil/debugger/binary/location"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

const (
	// closureName stands for the closure itself; no variable of the program has
	// this name.
	closureName    = "(closure)"
	dictionaryName = ".dict"
	// receiverName is the receiver that a method value holds.
	receiverName = ".this"
)

// isInternal reports whether a name is one that the compiler made: no name of a
// program begins like that.
func isInternal(name string) bool { return name != "" && strings.ContainsRune(".#~", rune(name[0])) }

// receiver is the name of the receiver of the method that a method value is of.
func (r *resolver) receiver() string {
	if fn, err := r.bin.FindFunction(strings.TrimSuffix(r.fn.Name, "-fm")); err == nil {
		if sig, err := r.bin.Signature(fn, binary.Reach{}); err == nil && len(sig.Params) > 0 {
			return sourceName(sig.Params[0].Name)
		}
	}
	return "_"
}

// sourceName is a parameter's name as its programmer knows it. The compiler calls
// those without a name ~p0 and ~r0, by their number.
func sourceName(name string) string {
	switch {
	case strings.HasPrefix(name, "~p"), name == "":
		return "_"
	case strings.HasPrefix(name, "~r"):
		return name[1:]
	}
	return name
}

// closure adds what a function literal takes from its surroundings, and in a
// generic function the dictionary, which the compiler adds as the last.
func (r *resolver) closure(sig *binary.Signature, places *places, words int) {
	types := sig.Types
	var closure gotype.Type
	if pointer := types.Get(sig.Closure); pointer != nil {
		closure = *types.Get(pointer.Elem)
	}
	dictionary := uint64(0)
	if places.dictionary == nil && isShapeLiteral(r.fn.Name) {
		dictionary = max((closure.Size+wordSize-1)&^(wordSize-1), wordSize)
	}
	var fields []gotype.Field
	for _, f := range closure.Fields {
		switch {
		case f.Name == dictionaryName:
			dictionary = f.Offset
		case f.Name == receiverName:
			f.Name = r.receiver()
			fields = append(fields, f)
		case !isInternal(strings.TrimPrefix(f.Name, "&")):
			fields = append(fields, f)
		}
	}
	closure.Fields = fields
	if len(closure.Fields) == 0 && dictionary == 0 {
		return
	}
	v := Variable{Name: closureName, Role: RoleLocal, Closure: true, Pieces: piecesOf([]location.Piece{goabi.Closure})}
	if dictionary > 0 {
		v.Instances = r.instances(sig, &closure)
		if words = max(words, slices.Max(append(v.Instances, 0))); words > 0 {
			r.plan.Dictionary = &Dictionary{InClosure: uint32(dictionary), Words: words}
		}
		closure.Size = max(closure.Size, dictionary+wordSize)
	}
	if sig.Closure == 0 {
		closure.Kind, closure.Name = gotype.Struct, r.fn.Name
		v.Type = pointerTo(types, types.Add(closure))
	} else {
		v.Type = sig.Closure
		types.Set(types.Get(sig.Closure).Elem, closure)
	}
	r.plan.Variables = append(r.plan.Variables, v)
}

// isShapeLiteral reports whether a function is a literal in an instance of a
// generic one: those share code, and are told apart by the dictionary.
func isShapeLiteral(function string) bool {
	return strings.Contains(function, "[go.shape.") && strings.Contains(function[strings.LastIndexByte(function, ']')+1:], ".func")
}

// instances finds which types of the dictionary captured variables have. It is
// that of the function around: a parameter there of the same name and shape has
// the same type, and so has what is the only one of its shape, unless several type
// parameters have one shape.
func (r *resolver) instances(sig *binary.Signature, closure *gotype.Type) []int {
	byName, byType := map[string]int{}, map[string][]int{}
	learn := func(types *gotype.Table, params []binary.Param) {
		for _, p := range params {
			t := types.Get(p.Type)
			if t == nil || p.Dictionary == binary.NoDictionary || p.Dictionary >= maxInstances {
				continue
			}
			word := p.Dictionary + 1
			if !slices.Contains(byType[t.Name], word) {
				byType[t.Name] = append(byType[t.Name], word)
			}
			if !p.Result {
				byName[p.Name+" "+t.Name] = word
			}
		}
	}
	learn(sig.Types, sig.Params)
	clear(byName)
	around, _, _ := strings.Cut(r.fn.Name[strings.LastIndexByte(r.fn.Name, ']')+1:], ".func")
	if fn, ok := r.bin.FunctionNamed(r.fn.Name[:strings.LastIndexByte(r.fn.Name, ']')+1] + around); ok {
		if outer, err := r.bin.Signature(&fn, binary.Reach{}); err == nil {
			learn(outer.Types, outer.Params)
		}
	}
	distinct := distinctShapes(r.fn.Name)
	out := make([]int, len(closure.Fields))
	for i, f := range closure.Fields {
		name, byReference := strings.CutPrefix(f.Name, "&")
		t := sig.Types.Get(f.Type)
		if byReference {
			t = sig.Types.Get(t.Elem)
		}
		if t == nil {
			continue
		}
		if word, ok := byName[name+" "+t.Name]; ok {
			out[i] = word
		} else if candidates := byType[t.Name]; len(candidates) == 1 && distinct {
			out[i] = candidates[0]
		}
	}
	return out
}

// distinctShapes reports whether the type arguments in the name of a function differ
// from each other.
func distinctShapes(function string) bool {
	from, to := strings.IndexByte(function, '['), strings.LastIndexByte(function, ']')
	if from < 0 || to < from {
		return true
	}
	seen := map[string]bool{}
	arguments, nesting, begin := function[from+1:to], 0, 0
	for i, c := range arguments + "," {
		switch {
		case strings.ContainsRune("[{(", c):
			nesting++
		case strings.ContainsRune(")}]", c):
			nesting--
		case c == ',' && nesting == 0:
			argument := arguments[begin:i]
			if seen[argument] {
				return false
			}
			seen[argument], begin = true, i+1
		}
	}
	return true
}
