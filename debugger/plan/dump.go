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
	OpInterface: "iface", OpRing: "ring", OpGroups: "groups", OpInstance: "instance",
	OpKeep: "keep", OpKept: "kept",
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
		if id == event.TypeDictionary {
			return "dictionary"
		}
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
			starts[op.Routine] = nameOfRoutine(p, op)
		}
	}
	for _, d := range p.Dynamic {
		if d.Op.Routine != 0 && starts[d.Op.Routine] == "" {
			starts[d.Op.Routine] = "element " + name(d.Op.Type)
		}
	}
	limits := p.Limits.OrDefaults()
	fmt.Fprintf(&b, "root: %d bytes, depth %d\n", p.RootSize, limits.Depth)
	if p.Returns() {
		starts[p.RootRoutine(SiteReturn)] = "root at returns"
	}
	if p.has(SiteTail) {
		starts[p.RootRoutine(SiteTail)] = "root at tail jumps"
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
		dumpOp(&b, op, name)
	}
	if len(p.Dynamic) > 0 {
		b.WriteString("dynamic types:\n")
	}
	for _, d := range p.Dynamic {
		fmt.Fprintf(&b, "%#7x  ", d.Offset)
		dumpOp(&b, d.Op, name)
	}
	return b.String()
}

// dumpOp prints what an instruction does, and ends the line.
func dumpOp(b *strings.Builder, op Op, name func(gotype.ID) string) {
	switch op.Code {
	case OpRegister:
		fmt.Fprintf(b, "<- %s, %d bytes", registerName(op.Reg), op.Size)
	case OpStack:
		fmt.Fprintf(b, "<- cfa%+d, %d bytes", op.CFA, op.Size)
	case OpHole:
		fmt.Fprintf(b, "%d bytes", op.Size)
	case OpPointer:
		fmt.Fprintf(b, "-> %s, %d bytes", name(op.Type), op.Size)
	case OpInterface:
		fmt.Fprintf(b, "-> %s", name(op.Type))
		if op.Flags&FlagItab != 0 {
			fmt.Fprintf(b, ", type at +%d of the itab", op.CFA)
		}
	case OpRing:
		fmt.Fprintf(b, "-> %s, up to %d x %d bytes, length at +%d, first at +%d", name(op.Type), op.Limit, op.Size, op.CFA, op.Aux)
	case OpInstance:
		fmt.Fprintf(b, "-> as word %d of the dictionary at +%d, %d bytes, pass over %d", op.Aux, op.CFA, op.Size, op.Limit)
	case OpKeep:
		b.WriteString("with the call")
	case OpKept:
		b.WriteString("<- the call")
	case OpGroups:
		fmt.Fprintf(b, "-> %s, %d bytes each, ", name(op.Type), op.Size)
		dumpGroups(b, op)
	default:
		fmt.Fprintf(b, "-> %s, up to %d x %d bytes", name(op.Type), op.Limit, op.Size)
	}
	if op.Flags&FlagFree != 0 {
		b.WriteString(", free")
	}
	if op.Flags&FlagDirect != 0 {
		b.WriteString(", in the word")
	}
	if op.Aux != 0 && (op.Code == OpPointer || op.Code == OpSlice) {
		fmt.Fprintf(b, ", %d entries", op.Aux)
	}
	if op.Reason != event.ReasonNone {
		fmt.Fprintf(b, ", else %q", op.Reason)
	}
	if op.Routine != 0 {
		fmt.Fprintf(b, ", each %d", op.Routine)
	}
	b.WriteByte('\n')
}

func dumpGroups(b *strings.Builder, op Op) {
	switch op.Reg {
	case GroupsSmall:
		fmt.Fprintf(b, "one unless +%d", op.Aux)
	case GroupsTable:
		fmt.Fprintf(b, "those at +%d of a table of %d, mask at +%d", op.CFA, op.Limit, op.Aux)
	case GroupsBuckets:
		fmt.Fprintf(b, "1 << +%d", op.Aux)
	case GroupsOld:
		fmt.Fprintf(b, "1 << +%d, half of it unless +%d has %#x", op.Aux, op.CFA, op.Limit)
	default:
		b.WriteString("the next")
	}
}

// nameOfRoutine says what the elements are that an instruction queues.
func nameOfRoutine(p *Plan, op Op) string {
	t := p.Types.Get(op.Type)
	switch {
	case t == nil:
		return fmt.Sprintf("type %d", op.Type)
	case op.Code == OpGroups:
		return "group of " + t.Name
	case t.Kind == gotype.Map && op.Code == OpSlice:
		return "directory of " + t.Name
	case op.Code == OpRing:
		return "element " + p.Types.Get(t.Elem).Name
	case op.Code == OpPointer && (t.Kind == gotype.Map || t.Kind == gotype.Chan) && op.Size > wordSize:
		return "header of " + t.Name
	case op.Code == OpPointer && isTime(t) && op.Flags&FlagFree != 0:
		return "location of " + t.Name
	case op.Code == OpSlice:
		return "element " + p.Types.Get(t.Elem).Name
	}
	return "element " + t.Name
}

func registerName(reg uint8) string {
	if int(reg) < len(amd64Registers) {
		return amd64Registers[reg]
	}
	return fmt.Sprintf("r%d?", reg)
}
