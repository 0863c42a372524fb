package plan

import (
	"errors"
	"slices"
	"strings"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/goabi"
	"github.com/vigil-agent/vigil/debugger/binary/location"
)

// UnavailableMissing is why a parameter cannot be read that has no recorded
// place, in a function whose other arguments contradict the calling convention,
// so that it cannot be placed by it.
const UnavailableMissing = "optimised out, and the other arguments are not where the calling convention puts them"

// places says where the parameters of a function are: arguments at its entry,
// results at its returns.
//
// At the entry nothing has moved yet, so arguments are where the calling
// convention puts them, also those that are never used and have no recorded
// place, and those of unoptimised code, whose one recorded place is filled later.
// The convention is sure only when all parameters are known, so it is checked
// against what the compiler recorded; where the two differ, what was recorded is
// used, and nothing else is.
type places struct {
	sig      *binary.Signature
	recorded [][]location.Piece // at the entry; nil when not recorded
	convention
	trusted bool
}

// convention is one way a function may take its parameters.
type convention struct {
	call       binary.Call
	dictionary []location.Piece // of the dictionary; nil when it takes none
}

func placesOf(sig *binary.Signature, function string, entry uint64) *places {
	p := &places{sig: sig, recorded: make([][]location.Piece, len(sig.Params))}
	for i := range sig.Params {
		if param := &sig.Params[i]; !param.Result && param.Tracked() {
			if pieces, err := sig.At(i, entry); err == nil {
				p.recorded[i] = pieces
			}
		}
	}
	conventions := conventionsOf(sig, function)
	for _, c := range conventions {
		if p.agrees(c.call) {
			p.convention, p.trusted = c, true
			return p
		}
	}
	p.convention = conventions[0]
	return p
}

// of is the place of parameter i.
func (p *places) of(i int) ([]location.Piece, error) {
	pieces := p.call[i]
	if p.trusted {
		return pieces, nil
	}
	if p.recorded[i] != nil {
		return p.recorded[i], nil
	}
	// Results in registers do not depend on the arguments; those on the stack
	// come after them.
	if p.sig.Params[i].Result && !slices.ContainsFunc(pieces, onStack) {
		return pieces, nil
	}
	return nil, errors.New(UnavailableMissing)
}

func onStack(p location.Piece) bool { return p.Kind == location.Stack }

// agrees reports whether every recorded piece is where the convention puts it.
// Two mistakes of the record are known and do not count. A piece recorded in a
// place that holds something else, by the convention and by another record,
// describes a value that is computed a little later, like the length that a
// slice is cut to. And when only one part of a variable is used, its place is
// recorded as that of the whole.
func (p *places) agrees(call binary.Call) bool {
	var confirmed, odd []location.Piece
	for i, recorded := range p.recorded {
		for _, piece := range recorded {
			switch {
			case within(piece, call[i]):
				confirmed = append(confirmed, piece)
			case !slices.ContainsFunc(call[i], func(c location.Piece) bool { return startsIn(piece, c) }):
				odd = append(odd, piece)
			}
		}
	}
	return !slices.ContainsFunc(odd, func(o location.Piece) bool {
		return !slices.ContainsFunc(confirmed, func(c location.Piece) bool { return startsIn(o, c) })
	})
}

// startsIn reports whether a piece starts in the place of another.
func startsIn(p, in location.Piece) bool {
	if p.Kind == location.Register || in.Kind == location.Register {
		return p.Kind == in.Kind && p.Reg == in.Reg
	}
	return p.Offset >= in.Offset && int64(p.Offset) < int64(in.Offset)+int64(in.Size)
}

// within reports whether a piece is in one of all: the same register or a
// stretch of the same stack, for the same bytes of the variable.
func within(s location.Piece, all []location.Piece) bool {
	return slices.ContainsFunc(all, func(a location.Piece) bool {
		if s.Kind == location.Register || a.Kind == location.Register {
			return s == a
		}
		return s.Offset-int32(s.Dest) == a.Offset-int32(a.Dest) && s.Dest >= a.Dest && s.Dest+s.Size <= a.Dest+a.Size
	})
}

// conventionsOf are the ways a function may take its parameters, most likely
// first.
func conventionsOf(sig *binary.Signature, function string) (all []convention) {
	if i := slices.IndexFunc(sig.Params, isDictionary); i >= 0 {
		call := sig.Call(goabi.AMD64, binary.NoDictionary)
		return []convention{{call: call, dictionary: call[i]}}
	}
	for _, dictionary := range dictionaryGuesses(function) {
		c := convention{call: sig.Call(goabi.AMD64, dictionary)}
		if dictionary != binary.NoDictionary {
			c.dictionary = sig.DictionaryPlace(goabi.AMD64, dictionary)
		}
		all = append(all, c)
	}
	return append(all, convention{call: sig.Call(goabi.ABI0, binary.NoDictionary)})
}

// isDictionary reports whether a parameter is the dictionary itself, which only
// unoptimised code describes.
func isDictionary(p binary.Param) bool { return p.Name == ".dict" && !p.Result }

// dictionaryGuesses are the places where a function may take the dictionary of
// its type arguments, most likely first: generic functions before the first
// argument, methods of generic types after the receiver, everything else
// nowhere. The name alone cannot tell a closure, "Map[…].func1", from a method.
func dictionaryGuesses(function string) []int {
	end := strings.LastIndexByte(function, ']')
	if end < 0 {
		return []int{binary.NoDictionary}
	}
	rest := strings.TrimPrefix(function[end+1:], ")")
	switch {
	case rest == "":
		return []int{0, binary.NoDictionary}
	case strings.Contains(rest, ".func") || strings.HasSuffix(rest, "-fm"):
		return []int{binary.NoDictionary, 1}
	default:
		return []int{1, binary.NoDictionary}
	}
}
