package binary

// Expr is the expression for the place of parameter i at pc, and its size; nil
// when there is none.
func (s *Signature) Expr(i int, pc uint64) (expr []byte, size uint32) {
	expr, size, err := s.place(i, pc)
	if err != nil {
		return nil, 0
	}
	return expr, size
}
