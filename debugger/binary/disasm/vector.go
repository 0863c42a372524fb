package disasm

// unknownLength is the length of an instruction that x86asm does not decode, 0
// when it is not one of those: the VEX and EVEX encodings (Intel SDM volume 2,
// sections 2.3 and 2.7), and ADCX and ADOX. None of them transfers control.
func unknownLength(code []byte) int {
	if len(code) == 0 {
		return 0
	}
	switch code[0] {
	case 0xc5, 0xc4, 0x62:
		return vectorLength(code)
	}
	return carryLength(code)
}

// vectorLength is the length of a VEX or EVEX instruction: a prefix of 2, 3 or 4
// bytes, one byte of opcode, ModRM, and an immediate byte in map 3 and for some
// opcodes of map 1.
func vectorLength(code []byte) int {
	if len(code) < 3 {
		return 0
	}
	var prefix, opmap int
	switch code[0] {
	case 0xc5:
		prefix, opmap = 2, 1
	case 0xc4:
		prefix, opmap = 3, int(code[1]&0x1f)
	default:
		prefix, opmap = 4, int(code[1]&0x07)
	}
	if opmap < 1 || opmap > 3 || len(code) < prefix+1 {
		return 0
	}
	opcode := code[prefix]
	if opmap == 1 && opcode == 0x77 && prefix < 4 { // VZEROUPPER, VZEROALL
		return prefix + 1
	}
	immediate := 0
	if opmap == 3 || (opmap == 1 && immediateMap1(opcode)) {
		immediate = 1
	}
	return withOperand(code, prefix+1, immediate)
}

// carryLength is the length of ADCX or ADOX: 66 or F3, maybe REX, 0F 38 F6,
// ModRM.
func carryLength(code []byte) int {
	if code[0] != 0x66 && code[0] != 0xf3 {
		return 0
	}
	n := 1
	if len(code) > n && code[n]&0xf0 == 0x40 {
		n++
	}
	if len(code) < n+3 || code[n] != 0x0f || code[n+1] != 0x38 || code[n+2] != 0xf6 {
		return 0
	}
	return withOperand(code, n+3, 0)
}

// maxInstruction is the longest instruction of the architecture, in bytes.
const maxInstruction = 15

// withOperand is the length of an instruction whose ModRM is at n and is followed
// by so many bytes of immediate; 0 when the code is cut.
func withOperand(code []byte, n, immediate int) int {
	operand := modrmLength(code[n:])
	total := n + operand + immediate
	if operand == 0 || total > len(code) || total > maxInstruction {
		return 0
	}
	return total
}

// immediateMap1 lists the opcodes of map 1 (0F) with an immediate byte:
// VPSHUFD and its kind, vector shifts, VCMP, VPINSRW, VPEXTRW, VSHUFP.
func immediateMap1(opcode byte) bool {
	switch opcode {
	case 0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6:
		return true
	}
	return false
}

// modrmLength is the length of ModRM, SIB and displacement.
func modrmLength(code []byte) int {
	if len(code) == 0 {
		return 0
	}
	mod, rm := code[0]>>6, code[0]&7
	n := 1
	if mod != 3 && rm == 4 {
		if len(code) < 2 {
			return 0
		}
		if mod == 0 && code[1]&7 == 5 {
			n += 4
		}
		n++
	}
	switch {
	case mod == 1:
		n++
	case mod == 2, mod == 0 && rm == 5:
		n += 4
	}
	return n
}
