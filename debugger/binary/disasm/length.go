package disasm

// How the operands of an opcode are encoded, by the letter in the tables below
// (Intel SDM volume 2, appendix A). What has no letter is left to x86asm.
const (
	plain     = '.' // none
	byteImm   = 'b' // immediate byte
	fullImm   = 'd' // immediate of four bytes, of two after 66
	longImm   = 'q' // the same, of eight with REX.W
	modrm     = 'm' // ModRM
	modrmByte = 'M' // ModRM, immediate byte
	modrmFull = 'D' // ModRM, immediate as fullImm
	packed    = 'p' // ModRM, not after F2 or F3
	shuffle   = 'P' // ModRM, immediate byte, not after F2 or F3
	move      = 'o' // ModRM, not after F2
	nop       = 'n' // ModRM of group 16
	memory    = 'a' // ModRM of a place in memory
	shift     = 's' // ModRM of group 2
	shiftByte = 'S' // ModRM of group 2, immediate byte
	moveByte  = 'v' // ModRM of group 11, immediate byte
	moveFull  = 'V' // ModRM of group 11, immediate as fullImm
	testByte  = 't' // ModRM of group 3, immediate byte of TEST
	testFull  = 'T' // ModRM of group 3, immediate of TEST as fullImm
	bitTest   = 'B' // ModRM of group 8, immediate byte
	increment = 'i' // ModRM of group 4
	indirect  = 'I' // ModRM of group 5
	shortJump = 'j' // displacement of one byte
	nearJump  = 'J' // displacement of four bytes
	nearCall  = 'c' // displacement of four bytes
	ret       = 'r' // none
	retImm    = 'R' // immediate of two bytes
)

// operations has, for the opcodes whose ModRM selects one of a group, a bit for each
// operation that there is, the first one lowest. Far jumps and calls are left out.
var operations = [256]uint8{
	shift: 0b10111111, shiftByte: 0b10111111, moveByte: 1, moveFull: 1, testByte: 0b11111101, testFull: 0b11111101,
	bitTest: 0b11110000, nop: 1, increment: 0b11, indirect: 0b01010111,
}

// oneByte has the opcodes of one byte, 16 a line.
const oneByte = "" +
	"mmmmbd  mmmmbd  " + // 00 ADD, OR
	"mmmmbd  mmmmbd  " + // 10 ADC, SBB
	"mmmmbd  mmmmbd  " + // 20 AND, SUB
	"mmmmbd  mmmmbd  " + // 30 XOR, CMP
	"                " + // 40 REX
	"................" + // 50 PUSH, POP
	"   m    dDbM    " + // 60 MOVSXD, PUSH, IMUL
	"jjjjjjjjjjjjjjjj" + // 70 conditional jumps
	"MD Mmmmmmmmm a  " + // 80 group 1, TEST, XCHG, MOV, LEA
	"..........      " + // 90 NOP, XCHG, CBW, CWD
	"    ....bd......" + // A0 MOVS, CMPS, TEST, STOS, LODS, SCAS
	"bbbbbbbbqqqqqqqq" + // B0 MOV
	"SSRr  vV    .   " + // C0 group 2, RET, MOV, INT3
	"ssss            " + // D0 group 2
	"jjjj    cJ j    " + // E0 LOOP, JRCXZ, CALL, JMP
	"      tT      iI" //  F0 groups 3, 4 and 5

// twoByte has those that 0F begins.
const twoByte = "" +
	"     .     .    " + // 00 SYSCALL, UD2
	"mm  pp         n" + // 10 MOVUPS and its kind, UNPCK, NOP
	"        ppm mmpp" + // 20 MOVAPS, CVT, UCOMIS, COMIS
	"                " + // 30
	"mmmmmmmmmmmmmmmm" + // 40 CMOV
	" mmmppppmmmpmmmm" + // 50 arithmetic of floats
	"pppppppppppp  po" + // 60 arithmetic of integers, MOVD, MOVDQA
	"M   ppp       oo" + // 70 PSHUF, PCMPEQ, MOVD, MOVDQA
	"JJJJJJJJJJJJJJJJ" + // 80 conditional jumps
	"mmmmmmmmmmmmmmmm" + // 90 SET
	"   m       m   m" + // A0 BT, BTS, IMUL
	"mm m  mm  Bmmmmm" + // B0 CMPXCHG, BTR, MOVZX, group 8, BTC, BSF, BSR, MOVSX
	"mmM   P ........" + // C0 XADD, CMPPS, SHUFPS, BSWAP
	"                " + // D0
	"                " + // E0
	"                " //  F0

// Prefixes that compilers write, as bits. LOCK is not among them, because it
// depends on the operation.
const (
	sizePrefix    = 1 << iota // 66: operands of two bytes
	repeatNotZero             // F2
	repeat                    // F3
	segment                   // 64 and 65, for variables of a thread
	wide                      // REX.W: operands of eight bytes
)

// maxPrefixes is how many prefixes before REX are looked at.
const maxPrefixes = 2

// excluded are the prefixes that an operand's encoding does not go with, or that
// change it.
var excluded = [256]uint8{
	packed: repeatNotZero | repeat, shuffle: repeatNotZero | repeat, move: repeatNotZero, nop: wide,
	shortJump: legacy, nearJump: legacy, nearCall: legacy, ret: legacy, retImm: legacy, indirect: legacy,
}

const legacy = sizePrefix | repeatNotZero | repeat | segment

func prefixBit(b byte) uint8 {
	switch b {
	case 0x66:
		return sizePrefix
	case 0xf2:
		return repeatNotZero
	case 0xf3:
		return repeat
	case 0x64, 0x65:
		return segment
	}
	return 0
}

// length is the length of the instruction that code begins with, when it is one of
// those that nearly all code consists of, and 0 when it is another one or cut: then
// x86asm decides. The two never differ, but x86asm takes twenty times as long. form
// is the letter of the opcode, whose last byte is at an offset.
func length(code []byte) (n int, form byte, opcode int) {
	at, prefixes := 0, uint8(0)
	for at < min(len(code), maxPrefixes) {
		bit := prefixBit(code[at])
		if bit == 0 {
			break
		}
		prefixes |= bit
		at++
	}
	if at < len(code) && code[at]&0xf0 == 0x40 {
		if code[at]&8 != 0 {
			prefixes |= wide
		}
		at++
	}
	form = ' '
	if at < len(code) {
		form = oneByte[code[at]]
	}
	if at+1 < len(code) && code[at] == 0x0f {
		at++
		form = twoByte[code[at]]
	}
	if form == ' ' || excluded[form]&prefixes != 0 {
		return 0, 0, 0
	}
	operands := operandsLength(code[at+1:], form, prefixes)
	if n = at + 1 + operands; operands < 0 || n > len(code) {
		return 0, 0, 0
	}
	return n, form, at
}

// operandsLength is the length of what follows an opcode; it is negative, or more
// than there is, when it is cut or there is no such instruction.
func operandsLength(code []byte, form byte, prefixes uint8) int {
	full := 4
	if prefixes&(sizePrefix|wide) == sizePrefix {
		full = 2
	}
	switch form {
	case plain, ret:
		return 0
	case byteImm, shortJump:
		return 1
	case retImm:
		return 2
	case nearJump, nearCall:
		return 4
	case fullImm:
		return full
	case longImm:
		if prefixes&wide != 0 {
			return 8
		}
		return full
	}
	n := modrmLength(code)
	if n == 0 {
		return -1
	}
	operation := code[0] >> 3 & 7
	if some := operations[form]; some != 0 && some>>operation&1 == 0 {
		return -1
	}
	switch form {
	case memory:
		if code[0] >= 0xc0 {
			return -1
		}
	case modrmByte, shuffle, shiftByte, moveByte, bitTest:
		n++
	case modrmFull, moveFull:
		n += full
	case testByte:
		if operation == 0 {
			n++
		}
	case testFull:
		if operation == 0 {
			n += full
		}
	}
	return n
}
