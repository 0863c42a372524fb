// Command stack prints, as JSON, what the runtime says about the stack of calls
// that are partly inlined, and where main.main is, which gives the bias of a
// position-independent binary.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"runtime"
)

type frame struct {
	PC       uint64
	Function string
	File     string
	Line     int
}

type report struct {
	Main   uint64
	Frames []frame
}

type walker struct{ depth int }

func (w *walker) inner(r *report) { // inlined into middle
	record(r)
}

func (w *walker) middle(r *report) { // inlined into outer
	w.depth++
	w.inner(r)
}

//go:noinline
func outer(w *walker, r *report) {
	w.middle(r)
	w.depth--
}

func each[T any](list []T, f func(T)) {
	for _, v := range list {
		f(v)
	}
}

//go:noinline
func record(r *report) {
	var pcs [32]uintptr
	n := runtime.Callers(1, pcs[:])
	for _, pc := range pcs[:n] {
		f, _ := runtime.CallersFrames([]uintptr{pc}).Next()
		r.Frames = append(r.Frames, frame{uint64(pc), f.Function, f.File, f.Line})
	}
}

func main() {
	r := report{Main: uint64(reflect.ValueOf(main).Pointer())}
	each([]int{1}, func(int) { outer(&walker{}, &r) })
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		os.Exit(1)
	}
}
