package columns

// words is a dictionary of the stream: the status or the tags of records. Words
// are never taken back; one that finds no room is sent in full each time.
type words struct {
	list  []string
	limit int
}

const (
	maxStatuses = 63
	maxTags     = maxLanes - 1
	wordBytes   = 32
)

// word codes a word, in a context. The number is -1 for a word without room.
func (s *state) word(w *words, m *symbols, word string) (string, int) {
	for m.n < 1+len(w.list) {
		s.pool.add(m, 1)
	}
	n := 0
	if s.encoding {
		for i, o := range w.list {
			if o == word {
				n = i + 1
				break
			}
		}
	}
	n = s.symbol(m, n)
	if n > 0 {
		return w.list[n-1], n - 1
	}
	if s.encoding {
		s.number(&s.text.lengths, int64(len(word)))
		s.text.buf = append(s.text.buf, word...)
	} else {
		word = string(s.string(&s.text.lengths, nil))
	}
	if len(w.list) >= w.limit || !s.allow(wordBytes+len(word)) {
		return word, -1
	}
	w.list = append(w.list, word)
	s.pool.add(m, gain)
	return word, len(w.list) - 1
}
