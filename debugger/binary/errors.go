package binary

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of Open and of the questions a Binary answers. Each text ends with
// what to do next.
var (
	// ErrNotELF says that the file is not an ELF executable.
	ErrNotELF = errors.New("not an ELF executable: give the path of a Linux binary, or the pid of a process that runs one")
	// ErrNotGo says that the program was not built by the Go toolchain.
	ErrNotGo = errors.New("not a Go program: the debugger reads binaries built by the Go toolchain only")
	// ErrUnsupportedArch says that the program is for another machine.
	ErrUnsupportedArch = errors.New("architecture is not supported yet: only amd64 (x86-64) binaries are")
	// ErrUnsupportedGo says that the toolchain is too old or too new to be read.
	ErrUnsupportedGo = errors.New("go version is not supported: rebuild with Go 1.24, 1.25 or 1.26")
	// ErrNoDWARF says that the binary was stripped of debug information:
	// functions can be probed, their variables cannot be read.
	ErrNoDWARF = errors.New("no debug information (built with -ldflags=-w or -s, or stripped): functions can be probed but variables cannot be read; rebuild without these flags")
	// ErrNotDescribed says that the debug information leaves a function out.
	ErrNotDescribed = errors.New("no debug information about this function: it can be probed but its variables cannot be read")
	// ErrCorrupt says that the file is cut or contradicts itself.
	ErrCorrupt = errors.New("damaged executable: rebuild it or copy it again")
)

// FunctionNotFoundError says that a binary has no function of that name.
type FunctionNotFoundError struct {
	Name string
	// Near holds at most five names that look alike, best first.
	Near []string
}

// Error implements error.
func (e *FunctionNotFoundError) Error() string {
	if len(e.Near) == 0 {
		return fmt.Sprintf("no function %q in the binary: names are written like main.run or net/http.(*Server).Serve", e.Name)
	}
	return fmt.Sprintf("no function %q in the binary: did you mean %s?", e.Name, strings.Join(e.Near, ", "))
}

// AmbiguousFunctionError says that a short name fits several functions.
type AmbiguousFunctionError struct {
	Name string
	// Candidates holds at most maxCandidates qualified names; Total is how many
	// functions fit.
	Candidates []string
	Total      int
}

// Error implements error.
func (e *AmbiguousFunctionError) Error() string {
	list := strings.Join(e.Candidates, ", ")
	if more := e.Total - len(e.Candidates); more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%q is ambiguous: write one of %s", e.Name, list)
}

// InlinedError says that a function has no code of its own: the compiler put a
// copy of it into each of its callers.
type InlinedError struct {
	Name string
}

// Error implements error.
func (e *InlinedError) Error() string {
	return fmt.Sprintf("function %q exists only as inlined copies: probe a caller, or mark it //go:noinline and rebuild", e.Name)
}
