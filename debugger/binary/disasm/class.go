package disasm

// ClassAt says what the kernel does with the instruction at an offset of the
// code, when it is probed. It fails with ErrUndecodable.
func ClassAt(code []byte, off int) (Class, error) {
	if off < 0 || off >= len(code) {
		return 0, ErrUndecodable
	}
	in, err := decode(code, off)
	switch {
	case err != nil:
		return 0, err
	case in.isPushRBP():
		return PushRBP, nil
	case in.emulated():
		return Emulated, nil
	}
	return Stepped, nil
}
