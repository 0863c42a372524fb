package location

import "errors"

// Operations of DWARF 5, section 7.7.1.
const (
	opDeref        = 0x06
	opConst1u      = 0x08
	opConst8s      = 0x0f
	opConstu       = 0x10
	opConsts       = 0x11
	opPlus         = 0x22
	opPlusUconst   = 0x23
	opReg0         = 0x50
	opReg31        = 0x6f
	opRegx         = 0x90
	opFbreg        = 0x91
	opPiece        = 0x93
	opCallFrameCFA = 0x9c
)

// maxSize bounds the size of a variable, 1 GiB as the compiler does for
// variables on the stack.
const maxSize = 1 << 30

// maxReg is the highest register of amd64 that has a place here, XMM15.
const maxReg = 32

// DecodeAny is Decode for variables that may have been moved to the heap: then
// the one piece is the place of the pointer to the variable, and indirect is set.
func DecodeAny(expr []byte, size uint32) (pieces []Piece, indirect bool, err error) {
	pieces, err = Decode(expr, size)
	if !errors.Is(err, ErrIndirect) {
		return pieces, false, err
	}
	if len(expr) == 0 || expr[len(expr)-1] != opDeref {
		return nil, false, err // one part of several is on the heap
	}
	if pieces, err = Decode(expr[:len(expr)-1], pointerSize); err != nil {
		return nil, false, err
	}
	return pieces, true, nil
}

// pointerSize is the size of a pointer of amd64, in bytes.
const pointerSize = 8

// Decode reads an expression for a variable of size bytes whose function has
// the canonical frame address as its frame base, which is what the Go compiler
// writes for every function. The pieces are in the order of their Dest.
func Decode(expr []byte, size uint32) ([]Piece, error) {
	if len(expr) == 0 {
		return nil, ErrOptimisedOut
	}
	var (
		pieces  []Piece
		dest    uint64
		missing bool
		r       = reader{buf: expr}
	)
	for len(r.buf) > 0 {
		p, found, err := simple(&r)
		if err != nil {
			return nil, err
		}
		n := uint64(size) - min(dest, uint64(size))
		composite := len(r.buf) > 0
		if composite {
			if r.byte() != opPiece {
				return nil, ErrUnsupported
			}
			n = r.uleb()
		}
		if r.bad || n > maxSize || dest+n > maxSize {
			return nil, ErrCorrupt
		}
		p.Dest, p.Size = uint32(dest), uint32(n)
		dest += n
		switch {
		case !found:
			missing = missing || n > 0
		case p.Kind == Register && n > 8:
			return nil, ErrUnsupported
		case n > 0:
			pieces = append(pieces, p)
		}
	}
	switch {
	case missing && len(pieces) == 0:
		return nil, ErrOptimisedOut
	case missing:
		return pieces, ErrPartly
	}
	return pieces, nil
}

// simple reads one simple location: a register, an address relative to the
// frame, or nothing before a piece operation.
func simple(r *reader) (p Piece, found bool, err error) {
	const ( // what the value on the stack is relative to
		empty = iota
		frame
	)
	state, value := empty, int64(0)
	for len(r.buf) > 0 && r.buf[0] != opPiece {
		op := r.byte()
		if state == empty {
			if reg, ok := register(op, r); ok {
				if r.bad || reg > maxReg {
					return p, false, ErrUnsupported
				}
				return Piece{Kind: Register, Reg: uint8(reg)}, true, nil
			}
		}
		switch {
		case op == opFbreg && state == empty:
			state, value = frame, r.sleb()
		case op == opCallFrameCFA && state == empty:
			state = frame
		case op == opPlusUconst && state == frame:
			value += int64(r.uleb())
		case (op == opConsts || op == opConstu || (op >= opConst1u && op <= opConst8s)) && state == frame:
			n, ok := literal(op, r)
			if !ok || r.byte() != opPlus {
				return p, false, ErrUnsupported
			}
			value += n
		case op == opDeref && state == frame:
			return p, false, ErrIndirect
		default:
			return p, false, ErrUnsupported
		}
		if r.bad {
			return p, false, ErrCorrupt
		}
	}
	if state == empty {
		return p, false, nil
	}
	if int64(int32(value)) != value {
		return p, false, ErrCorrupt
	}
	return Piece{Kind: Stack, Offset: int32(value)}, true, nil
}

// register is the register an operation names.
func register(op byte, r *reader) (reg uint64, ok bool) {
	switch {
	case op >= opReg0 && op <= opReg31:
		return uint64(op - opReg0), true
	case op == opRegx:
		return r.uleb(), true
	}
	return 0, false
}

// literal is the constant an operation pushes.
func literal(op byte, r *reader) (v int64, ok bool) {
	switch op {
	case opConstu:
		return int64(r.uleb()), !r.bad
	case opConsts:
		return r.sleb(), !r.bad
	}
	// DW_OP_const1u, 1s, 2u, 2s, 4u, 4s, 8u, 8s.
	n := uint64(1) << ((op - opConst1u) / 2)
	u := r.fixed(n)
	if (op-opConst1u)%2 == 1 { // signed
		shift := 64 - 8*n
		return int64(u<<shift) >> shift, !r.bad
	}
	return int64(u), !r.bad
}
