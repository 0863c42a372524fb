package main

import (
	"fmt"
	"os"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/plan"
)

// Classes of sites.
const (
	push     = "push"            // PUSH RBP
	jump     = "jcc"             // the conditional jump before it
	stepped  = "stepped"         // the comparison before that, which is not emulated
	returned = "push and return" // with a site at the RET, which is not emulated
)

// prologue is how functions with a frame begin: CMPQ SP, 16(R14); JBE; PUSHQ BP.
// Two bytes are the distance of the jump and its code.
var prologue = [...]byte{0: 0x49, 1: 0x3b, 2: 0x66, 3: 0x10, 4: 0x76, 6: 0x55}

// offsets are where in the prologue the classes are.
var offsets = map[string]uint64{stepped: 0, jump: 4, push: 6, returned: 6}

// resolve makes the plan for a function of the target, with the entry moved to a
// site of the class. Without capture, it reads nothing.
func resolve(bin *binary.Binary, function, class string, capture bool) (*plan.Plan, error) {
	def := plan.Definition{
		ProbeID: class, Function: "main." + function, Returns: class == returned,
		Limits: plan.Limits{Length: 1024},
	}
	p, err := plan.Resolve(bin, def)
	if err != nil {
		return nil, err
	}
	fn, err := bin.FindFunction(def.Function)
	if err != nil {
		return nil, err
	}
	if err := checkPrologue(bin, fn.Entry); err != nil {
		return nil, fmt.Errorf("%s: %w", def.Function, err)
	}
	entry := plan.Site{Kind: plan.SiteEntry, PC: fn.Entry + offsets[class], CFAOffset: 8, Anchor: plan.AnchorPushRBP}
	switch class {
	case jump:
		entry.Anchor = plan.AnchorEmulated
	case stepped:
		entry.Anchor = plan.AnchorStepped
	}
	entry.FileOffset, _ = bin.FileOffset(entry.PC)
	for i, s := range p.Sites {
		if s.Kind == plan.SiteEntry {
			p.Sites[i] = entry
		}
	}
	if !capture {
		p.Variables, p.RootSize, p.Dynamic = nil, 0, nil
	}
	return p, plan.Compile(p)
}

func checkPrologue(bin *binary.Binary, entry uint64) error {
	off, ok := bin.FileOffset(entry)
	if !ok {
		return binary.ErrCorrupt
	}
	file, err := os.Open(bin.OpenPath())
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // it was only read
	var code [len(prologue)]byte
	if _, err := file.ReadAt(code[:], int64(off)); err != nil {
		return err
	}
	code[5] = 0
	if code != prologue {
		return fmt.Errorf("begins with % x, not like a function with a frame", code)
	}
	return nil
}
