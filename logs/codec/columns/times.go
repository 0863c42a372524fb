package columns

// times models the records' times: the difference from the record before, in
// milliseconds.
type times struct {
	last int64
	diff *number
}

// time codes the time of a record.
func (s *state) time(ms int64) int64 {
	t := &s.times
	t.last += s.number(t.diff, ms-t.last)
	return t.last
}
