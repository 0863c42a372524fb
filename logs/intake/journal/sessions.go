package journal

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vigil-agent/vigil/logs/internal/disk"
)

// Mark says how far a session has come: everything up to and with batch Seq is in
// the journal. The zero Mark belongs to no session.
type Mark struct {
	// Session is a name without spaces or line feeds; at most 64 bytes.
	Session string
	// Epoch is that of the stream that brought the batch.
	Epoch uint64
	// Seq is the batch's number, from 1.
	Seq uint64
}

const (
	sessionsSuffix = ".sessions"
	// maxSessionsBytes is the least size at which the file is written anew, with one
	// mark a session.
	maxSessionsBytes = 1 << 20
	// sessionTime is how long a session is remembered that is not used.
	sessionTime = 30 * 24 * time.Hour
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// commit is where a journal ends: what is beyond was not acknowledged.
type commit struct {
	segment int
	size    int64
}

// session is a Mark and when it was made, in Unix seconds.
type session struct {
	Mark
	used int64
}

// sessions is the file beside a journal that makes lines and marks durable
// together: a record is written when the lines are on disk, and lines without a
// record are cut at the next start. There is no file as long as there is no
// session.
type sessions struct {
	path  string
	most  int      // sessions that are remembered
	lazy  bool     // sync is called later
	file  *os.File // nil: no file yet
	size  int64
	base  int64 // size when it was last written anew
	stale bool  // the file must be written anew
	marks map[string]session
	// Kept for reuse: a record, and the marks before it.
	buf    []byte
	before []session
}

// openSessions reads the file at path. last is the last commit, if there is one.
func openSessions(path string, o Options) (s *sessions, last commit, known bool, err error) {
	s = &sessions{path: path, most: o.MaxSessions, lazy: o.Sync != SyncBatch, marks: map[string]session{}}
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, commit{}, false, nil
	}
	if err != nil {
		return nil, commit{}, false, fmt.Errorf("read sessions of the journal: %w", err)
	}
	for line := range bytes.Lines(text) {
		c, marks, ok := parseCommit(line)
		if !ok {
			break // torn by a crash: what it tells of was not acknowledged
		}
		last, known = c, true
		for _, m := range marks {
			s.marks[m.Session] = m
		}
	}
	s.stale = true
	return s, last, known, nil
}

// active says whether commits must be noted.
func (s *sessions) active() bool { return s.file != nil || s.stale }

// list is all marks, by session.
func (s *sessions) list() []Mark {
	out := make([]Mark, 0, len(s.marks))
	for _, m := range s.marks {
		out = append(out, m.Mark)
	}
	slices.SortFunc(out, func(a, b Mark) int { return strings.Compare(a.Session, b.Session) })
	return out
}

// note makes a commit and the marks of its batches durable. After an error the
// marks are those of before, and the file is stale: it may tell of the commit.
func (s *sessions) note(c commit, marks []Mark, now time.Time) error {
	s.before = s.before[:0]
	for _, m := range marks {
		old := s.marks[m.Session]
		old.Session = m.Session
		s.before = append(s.before, old)
		s.marks[m.Session] = session{m, now.Unix()}
	}
	err := s.write(c, marks, now)
	if err != nil {
		for _, old := range slices.Backward(s.before) {
			if s.marks[old.Session] = old; old.Seq == 0 {
				delete(s.marks, old.Session)
			}
		}
	}
	return err
}

// write adds a record. The file is written anew once it has doubled, so that many
// sessions do not make each commit dear.
func (s *sessions) write(c commit, marks []Mark, now time.Time) error {
	if s.file == nil || s.stale || s.size > max(maxSessionsBytes, 2*s.base) {
		return s.rewrite(c, now)
	}
	s.buf = appendCommit(s.buf[:0], c)
	for _, m := range marks {
		s.buf = appendMark(s.buf, s.marks[m.Session])
	}
	s.buf = endCommit(s.buf, 0)
	// Until the sync, nobody knows what the file holds.
	s.stale = true
	if _, err := s.file.WriteAt(s.buf, s.size); err != nil {
		return err
	}
	if !s.lazy {
		if err := s.file.Sync(); err != nil {
			return err
		}
	}
	s.size += int64(len(s.buf))
	s.stale = false
	return nil
}

// sync makes what was written lazily survive a power cut.
func (s *sessions) sync() error {
	if s.file == nil {
		return nil
	}
	return s.file.Sync()
}

// rewrite replaces the file by one record with all marks.
func (s *sessions) rewrite(c commit, now time.Time) error {
	s.forget(now)
	s.stale = true
	text := appendCommit(nil, c)
	for _, m := range s.list() {
		text = appendMark(text, s.marks[m.Session])
	}
	text = endCommit(text, 0)
	if err := disk.Replace(s.path, text); err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if s.file != nil {
		_ = s.file.Close() // a name that is gone
	}
	s.file, s.size, s.base, s.stale = f, int64(len(text)), int64(len(text)), false
	return nil
}

// forget drops sessions that are past their time, or too many.
func (s *sessions) forget(now time.Time) {
	all := make([]session, 0, len(s.marks))
	for _, m := range s.marks {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b session) int {
		return cmp.Or(cmp.Compare(b.used, a.used), strings.Compare(a.Session, b.Session))
	})
	for i, m := range all {
		if i >= s.most || now.Unix()-m.used > int64(sessionTime/time.Second) {
			delete(s.marks, m.Session)
		}
	}
}

func (s *sessions) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// A record is one line of words: segment, size, then session, epoch, number and
// time for each mark, and the CRC-32C of all before it in hexadecimal.
func appendCommit(dst []byte, c commit) []byte {
	dst = strconv.AppendInt(dst, int64(c.segment), 10)
	dst = append(dst, ' ')
	return append(strconv.AppendInt(dst, c.size, 10), ' ')
}

func appendMark(dst []byte, m session) []byte {
	dst = append(append(dst, m.Session...), ' ')
	dst = append(strconv.AppendUint(dst, m.Epoch, 10), ' ')
	dst = append(strconv.AppendUint(dst, m.Seq, 10), ' ')
	return append(strconv.AppendInt(dst, m.used, 10), ' ')
}

func endCommit(dst []byte, from int) []byte {
	return fmt.Appendf(dst, "%08x\n", crc32.Checksum(dst[from:], castagnoli))
}

func parseCommit(line []byte) (c commit, marks []session, ok bool) {
	if len(line) < 9 || !bytes.Equal(endCommit(line[:len(line)-9:len(line)-9], 0), line) {
		return commit{}, nil, false
	}
	words := strings.Fields(string(line[:len(line)-9]))
	if len(words) < 2 || (len(words)-2)%4 != 0 {
		return commit{}, nil, false
	}
	numbers := make([]uint64, len(words))
	for i, w := range words {
		if i >= 2 && i%4 == 2 {
			continue
		}
		n, err := strconv.ParseUint(w, 10, 64)
		if err != nil {
			return commit{}, nil, false
		}
		numbers[i] = n
	}
	for i := 2; i < len(words); i += 4 {
		marks = append(marks, session{Mark{words[i], numbers[i+1], numbers[i+2]}, int64(numbers[i+3])})
	}
	return commit{int(numbers[0]), int64(numbers[1])}, marks, true
}
