package binary

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/vigil-agent/vigil/debugger/binary/pclntab"
)

// Place is an instruction at which a source line begins, or a copy of an
// inlined function.
type Place struct {
	// Function holds the instruction at PC, a link-time address.
	Function Function
	PC       uint64
	// Name is the function the source belongs to: Function's own, or one that is
	// inlined into it. Depth counts the calls that are inlined in each other,
	// from 0 for Function itself.
	Name  string
	Depth int
	// File and Line are those of the instruction; CallFile and CallLine are
	// where the inlined function was called, "" and 0 when Depth is 0.
	File     string
	Line     int
	CallFile string
	CallLine int
	// CFAOffset is the distance from the stack pointer, before the instruction
	// runs, to the canonical frame address.
	CFAOffset int32
	// End is where the instructions of the statement end that begins at PC; 0 when
	// the place is not a line.
	End uint64
}

// returnAddress is what a CALL pushes: the canonical frame address is above it.
const returnAddress = 8

// maxPlaces bounds the places of one name or line: a small function can be
// inlined in thousands of others.
const maxPlaces = 1 << 14

// Inlined finds the copies of a function in the code of others, by its qualified
// name, which may lack its type arguments, in address order. Each place is the first instruction of a copy
// in address order, which is the first to run but for what the compiler has
// moved. There need not be any.
func (b *Binary) Inlined(name string) (places []Place, err error) {
	if b.table == nil {
		return nil, errClosed
	}
	defer guard(&err)()
	names := map[uint32]bool{}
	for off, have := range b.table.NameOffsets {
		if exact, _ := fits(have, []byte(name)); exact {
			names[off] = true
		}
	}
	seen := map[int32]bool{}
	for f := range b.functions {
		clear(seen)
		for run := range f.Inlined() {
			// A copy begins where its own code does, or that of a copy within it.
			for index := run.Value; index >= 0 && !seen[index]; {
				seen[index] = true
				c, ok := f.InlinedCall(index)
				if !ok {
					break
				}
				if names[c.NameOffset] && len(places) < maxPlaces {
					calls := f.AppendCalls(nil, run.Low)
					calls = calls[slices.IndexFunc(calls, func(in pclntab.InlinedCall) bool { return in.Index == index }):]
					places = append(places, placeOf(f, run.Low, calls))
				}
				index = c.Parent
			}
		}
	}
	return places, nil
}

// functions yields every function in address order.
func (b *Binary) functions(yield func(pclntab.Func) bool) {
	for i := range b.table.Len() {
		if f, ok := b.table.Func(i); ok && !yield(f) {
			return
		}
	}
}

// placeOf is the place at pc in the innermost of calls, or in the function
// itself when there are none.
func placeOf(f pclntab.Func, pc uint64, calls []pclntab.InlinedCall) Place {
	p := Place{Function: functionOf(f), PC: pc, Depth: len(calls), CFAOffset: returnAddress}
	p.Name = p.Function.Name
	p.File, p.Line = f.FileLine(pc)
	if len(calls) > 0 {
		p.Name = string(calls[0].NameBytes())
		p.CallFile, p.CallLine = f.FileLine(calls[0].CallPC)
	}
	if delta, ok := f.SPDelta(pc); ok {
		p.CFAOffset += delta
	}
	return p
}

// FindLine finds the instructions at which a source line begins, one for each
// function that holds its code: the function it is written in, each instance of
// it when it is generic, and each copy that was inlined. file is a path as the
// compiler recorded it or the end of one: "main.go", "app/server.go". It fails
// with *LineNotFoundError or *AmbiguousFileError.
func (b *Binary) FindLine(file string, line int) (places []Place, err error) {
	if b.table == nil {
		return nil, errClosed
	}
	defer guard(&err)()
	files := b.filesOf(file)
	if len(files) == 0 {
		return nil, &LineNotFoundError{File: file, Line: line, UnknownFile: true}
	}
	s := lineSearch{line: line, files: files, found: map[lineKey]int{}, near: map[int]bool{}}
	for f := range b.functions {
		s.function(f)
	}
	if len(s.places) == 0 {
		return nil, s.notFound(file)
	}
	names := map[string]bool{}
	for _, p := range s.places {
		names[p.File] = true
	}
	if len(names) > 1 {
		return nil, ambiguousFile(file, names)
	}
	for i := range s.places {
		pc, end := b.statement(s.places[i], s.runs[i])
		s.places[i].move(b, pc)
		s.places[i].End = end
	}
	return s.places, nil
}

// move makes the place another instruction of the function.
func (p *Place) move(b *Binary, pc uint64) {
	p.PC = pc
	if f, ok := b.table.Find(pc); ok {
		if delta, ok := f.SPDelta(pc); ok {
			p.CFAOffset = delta + returnAddress
		}
	}
}

// filesOf are the files whose path is file or ends in it, by their offset.
func (b *Binary) filesOf(file string) map[uint32]bool {
	files, want := map[uint32]bool{}, []byte(file)
	for off, name := range b.table.FileNames {
		if bytes.Equal(name, want) || (bytes.HasSuffix(name, want) && len(want) > 0 && name[len(name)-len(want)-1] == '/') {
			files[off] = true
		}
	}
	return files
}

// lineSearch collects the places of one line.
type lineSearch struct {
	line   int
	files  map[uint32]bool
	places []Place
	runs   [][]pclntab.Run
	found  map[lineKey]int
	near   map[int]bool
}

// lineKey is a function or a copy of one within another.
type lineKey struct {
	entry uint64
	copy  int32
}

// function looks through the instructions of one function: the stretches of the
// files, and within them those of the line.
func (s *lineSearch) function(f pclntab.Func) {
	for file := range f.Files() {
		if off, ok := f.FileOffset(file.Value); !ok || !s.files[off] {
			continue
		}
		for line := range f.Lines() {
			if line.High <= file.Low || line.Low >= file.High {
				continue
			}
			if int(line.Value) != s.line {
				s.near[int(line.Value)] = true
				continue
			}
			s.add(f, pclntab.Run{Low: max(line.Low, file.Low), High: min(line.High, file.High)})
		}
	}
}

// add records a stretch of instructions, cut where copies of other functions
// begin.
func (s *lineSearch) add(f pclntab.Func, run pclntab.Run) {
	for run.Low < run.High {
		calls, end := f.AppendCalls(nil, run.Low), run.High
		for inlined := range f.Inlined() {
			if inlined.Low <= run.Low && run.Low < inlined.High {
				end = min(end, inlined.High)
				break
			}
		}
		key := lineKey{f.Entry, -1}
		if len(calls) > 0 {
			key.copy = calls[0].Index
		}
		part := pclntab.Run{Low: run.Low, High: end}
		if i, ok := s.found[key]; ok {
			s.runs[i] = append(s.runs[i], part)
		} else if len(s.places) < maxPlaces {
			s.found[key] = len(s.places)
			s.places = append(s.places, placeOf(f, part.Low, calls))
			s.runs = append(s.runs, []pclntab.Run{part})
		}
		run.Low = end
	}
}

func (s *lineSearch) notFound(file string) error {
	e := &LineNotFoundError{File: file, Line: s.line}
	for line := range s.near {
		if d := line - s.line; d >= -nearLines && d <= nearLines && line > 0 {
			e.Near = append(e.Near, line)
		}
	}
	slices.SortFunc(e.Near, func(a, b int) int {
		return cmp.Or(cmp.Compare(abs(a-s.line), abs(b-s.line)), cmp.Compare(a, b))
	})
	e.Near = e.Near[:min(len(e.Near), maxNear)]
	return e
}

func abs(n int) int { return max(n, -n) }

// nearLines is how far away a line with code is still worth naming.
const nearLines = 10

func ambiguousFile(file string, names map[string]bool) error {
	e := &AmbiguousFileError{File: file, Total: len(names)}
	for name := range names {
		e.Candidates = append(e.Candidates, name)
	}
	slices.Sort(e.Candidates)
	e.Candidates = e.Candidates[:min(len(e.Candidates), maxCandidates)]
	return e
}

// statement chooses the instruction of a line at which a debugger should stop:
// the first one that the line table marks so, or the first one when nothing
// does. The statement ends where the next one begins, or another line or copy.
func (b *Binary) statement(p Place, runs []pclntab.Run) (pc, end uint64) {
	marked, err := b.statements(p.Function)
	if err == nil {
		for _, run := range runs {
			i, _ := slices.BinarySearch(marked, run.Low)
			if i == len(marked) || marked[i] >= run.High {
				continue
			}
			next, _ := slices.BinarySearch(marked, marked[i]+1)
			if next < len(marked) {
				return marked[i], min(marked[next], run.High)
			}
			return marked[i], run.High
		}
	}
	return runs[0].Low, runs[0].High
}

// LineNotFoundError says that a line has no instructions of its own.
type LineNotFoundError struct {
	File string
	Line int
	// UnknownFile says that there is no such file in the binary.
	UnknownFile bool
	// Near holds at most five lines close by that have instructions, the closest
	// first.
	Near []int
}

// Error implements error.
func (e *LineNotFoundError) Error() string {
	switch {
	case e.UnknownFile:
		return fmt.Sprintf("no file %q in the binary: write the path as the compiler saw it, or the end of it from a slash on", e.File)
	case len(e.Near) == 0:
		return fmt.Sprintf("%s:%d has no instructions: choose a line with a statement in a function that is used", e.File, e.Line)
	}
	return fmt.Sprintf("%s:%d has no instructions: lines near by that have some are %s", e.File, e.Line, joinInts(e.Near))
}

func joinInts(list []int) string {
	text := fmt.Sprint(list)
	return string(bytes.ReplaceAll([]byte(text[1:len(text)-1]), []byte(" "), []byte(", ")))
}

// AmbiguousFileError says that the end of a path fits several files that have
// instructions at the line.
type AmbiguousFileError struct {
	File string
	// Candidates holds at most maxCandidates paths; Total is how many fit.
	Candidates []string
	Total      int
}

// Error implements error.
func (e *AmbiguousFileError) Error() string {
	return (&AmbiguousFunctionError{Name: e.File, Candidates: e.Candidates, Total: e.Total}).Error()
}
