#include "textflag.h"

// func pushFixture()
TEXT ·pushFixture(SB), NOSPLIT|NOFRAME, $0-0
	PUSHQ BP
	POPQ  BP
	RET

// func emulatedFixture()
//
// The assembler would leave the jump out.
TEXT ·emulatedFixture(SB), NOSPLIT|NOFRAME, $0-0
	BYTE $0xeb; BYTE $0x00 // JMP to the next instruction
	RET

// func steppedFixture()
TEXT ·steppedFixture(SB), NOSPLIT|NOFRAME, $0-0
	CMPQ SP, 16(R14) // as the check for stack space
	RET

// func fixtureAddresses() (push, emulated, stepped uintptr)
TEXT ·fixtureAddresses(SB), NOSPLIT, $0-24
	LEAQ ·pushFixture(SB), AX
	MOVQ AX, push+0(FP)
	LEAQ ·emulatedFixture(SB), AX
	MOVQ AX, emulated+8(FP)
	LEAQ ·steppedFixture(SB), AX
	MOVQ AX, stepped+16(FP)
	RET
