package snapshot

// Lookups is what remains of maxLookups; below zero it is how many were refused.
func (s *Snapshot) Lookups() int { return s.r.lookups }
