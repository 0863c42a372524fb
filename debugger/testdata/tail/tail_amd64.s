#include "textflag.h"

// func hop(n int) int
//
// It returns 0 for 0, and else goes on in land, in its own frame.
TEXT ·hop(SB), NOSPLIT, $0-16
	MOVQ n+0(FP), AX
	TESTQ AX, AX
	JEQ  zero
	JMP  ·land(SB)
zero:
	MOVQ $0, ret+8(FP)
	RET

// func leap(n int) int
//
// It goes on in land too, whose address it computes.
TEXT ·leap(SB), NOSPLIT, $0-16
	LEAQ ·land(SB), AX
	JMP  AX
