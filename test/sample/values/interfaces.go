package main

import (
	"errors"
	"fmt"
	"io/fs"
)

type speaker interface{ Speak() string }

type dog struct{ Name string }

//go:noinline
func (d dog) Speak() string { return d.Name }

type parrot string

//go:noinline
func (p *parrot) Speak() string { return string(*p) }

type holder struct {
	Any any
	Err error
}

type failure struct{ Code int }

func (f *failure) Error() string { return fmt.Sprint("failure ", f.Code) }

//go:noinline
func interfaceAnyInt(v any) { use(v) }

//go:noinline
func interfaceAnyString(v any) { use(v) }

//go:noinline
func interfaceAnyStruct(v any) { use(v) }

//go:noinline
func interfaceAnyPointer(v any) { use(v) }

//go:noinline
func interfaceAnySlice(v any) { use(v) }

//go:noinline
func interfaceAnyMap(v any) { use(v) }

//go:noinline
func interfaceAnyFunc(v any) { use(v) }

//go:noinline
func interfaceNil(a any, b error, c speaker) { use(a); use(b); use(c) }

// Not nil, and its pointer is.
//
//go:noinline
func interfaceNilPointer(v error) { use(v) }

//go:noinline
func interfaceError(v error) { use(v) }

//go:noinline
func interfaceWrappedError(v error) { use(v) }

//go:noinline
func interfaceOwnError(v error) { use(v) }

//go:noinline
func interfaceBehaviours(a, b speaker) { use(a); use(b) }

//go:noinline
func interfaceInStruct(v holder) { use(v) }

func init() {
	const s = "interfaces"
	add(s, "main.interfaceAnyInt", func() { interfaceAnyInt(1 << 40) })
	add(s, "main.interfaceAnyString", func() { interfaceAnyString("text") })
	add(s, "main.interfaceAnyStruct", func() { interfaceAnyStruct(pair{1, 2}) })
	add(s, "main.interfaceAnyPointer", func() { interfaceAnyPointer(&pair{1, 2}) })
	add(s, "main.interfaceAnySlice", func() { interfaceAnySlice([]string{"one"}) })
	add(s, "main.interfaceAnyMap", func() { interfaceAnyMap(map[string]int{"one": 1}) })
	add(s, "main.interfaceAnyFunc", func() { interfaceAnyFunc(filled) })
	add(s, "main.interfaceNil", func() { interfaceNil(nil, nil, nil) })
	add(s, "main.interfaceNilPointer", func() { interfaceNilPointer((*failure)(nil)) })
	add(s, "main.interfaceError", func() { interfaceError(errors.New("broken")) })
	add(s, "main.interfaceWrappedError", func() { interfaceWrappedError(fmt.Errorf("open: %w", fs.ErrNotExist)) })
	add(s, "main.interfaceOwnError", func() { interfaceOwnError(&failure{7}) })
	add(s, "main.interfaceBehaviours", func() {
		polly := parrot("polly")
		interfaceBehaviours(dog{"rex"}, &polly)
	})
	add(s, "main.dog.Speak", func() { use(dog{"rex"}.Speak()) })
	add(s, "main.(*parrot).Speak", func() {
		polly := parrot("polly")
		polly.Speak()
	})
	add(s, "main.interfaceInStruct", func() {
		interfaceInStruct(holder{int8(1), errors.New("inside")})
	})
}
