package plan

import (
	"fmt"
	"strings"

	"github.com/vigil-agent/vigil/debugger/event"
	"github.com/vigil-agent/vigil/debugger/gotype"
)

var opNames = [...]string{
	OpEnd: "end", OpRegister: "register", OpStack: "stack", OpHole: "hole",
	OpPointer: "pointer", OpString: "string", OpSlice: "slice",
}

// String is the instruction's name in dumps.
func (c OpCode) String() string {
	if int(c) < len(opNames) {
		return opNames[c]
	}
	return fmt.Sprintf("op(%d)", uint8(c))
}

// amd64Registers are the DWARF names in number order.
var amd64Registers = [generalRegisters]string{
	"rax", "rdx", "rcx", "rbx", "rsi", "rdi", "rbp", "rsp",
	"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
}

// DumpCode prints the byte-code, one instruction a line, with the names of
// types and the routines they belong to.
func DumpCode(p *Plan) string {
	var b strings.Builder
	name := func(id gotype.ID) string {
		if p.Types != nil {
			if t := p.Types.Get(id); t != nil {
				return t.Name
			}
		}
		return fmt.Sprintf("type %d", id)
	}
	starts := map[uint32]string{}
	for _, op := range p.Code {
		if op.Routine != 0 {
			starts[op.Routine] = "element " + name(elementOf(p, op))
		}
	}
	limits := p.Limits.OrDefaults()
	fmt.Fprintf(&b, "root: %d bytes, depth %d\n", p.RootSize, limits.Depth)
	if p.returns() {
		starts[p.RootRoutine(SiteReturn)] = "root at returns"
	}
	for i, op := range p.Code {
		if s, ok := starts[uint32(i)]; ok {
			fmt.Fprintf(&b, "%s:\n", s)
		}
		if op.Code == OpEnd {
			fmt.Fprintf(&b, "%5d  %s\n", i, op.Code)
			continue
		}
		fmt.Fprintf(&b, "%5d  %-8s +%-4d ", i, op.Code, op.Offset)
		switch op.Code {
		case OpRegister:
			fmt.Fprintf(&b, "<- %s, %d bytes", registerName(op.Reg), op.Size)
		case OpStack:
			fmt.Fprintf(&b, "<- cfa%+d, %d bytes", op.CFA, op.Size)
		case OpHole:
			fmt.Fprintf(&b, "%d bytes", op.Size)
		case OpPointer:
			fmt.Fprintf(&b, "-> %s, %d bytes", name(op.Type), op.Size)
		default:
			fmt.Fprintf(&b, "-> %s, up to %d x %d bytes", name(op.Type), op.Limit, op.Size)
		}
		if op.Reason != event.ReasonNone {
			fmt.Fprintf(&b, ", else %q", op.Reason)
		}
		if op.Routine != 0 {
			fmt.Fprintf(&b, ", each %d", op.Routine)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func registerName(reg uint8) string {
	if int(reg) < len(amd64Registers) {
		return amd64Registers[reg]
	}
	return fmt.Sprintf("r%d?", reg)
}

// elementOf is the type of the elements of the item an instruction captures.
func elementOf(p *Plan, op Op) gotype.ID {
	if p.Types == nil {
		return 0
	}
	if t := p.Types.Get(op.Type); t != nil && op.Code == OpSlice {
		return t.Elem
	}
	return op.Type
}
