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

// What is one pointer is in the interface itself; what else, Go 1.26 decides in
// another way than the versions before.
type (
	alone        struct{ P *pair }
	incomparable struct {
		_ [0]func()
		P *pair
	}
	table map[string]int
)

//go:noinline
func interfaceDirect(a, b, c, d, e any) { use(a); use(b); use(c); use(d); use(e) }

// interfaceGeneric has types that are only made by what instantiates them.
//
//go:noinline
func interfaceGeneric(a, b any) { use(a); use(b) }

//go:noinline
func interfaceNested(v any) { use(v) }

func init() {
	const s = "interfaces"
	add(s, "main.interfaceDirect", func() {
		p := &pair{1, 2}
		interfaceDirect(alone{p}, incomparable{P: p}, [1]*pair{p}, table{"one": 1}, func() {})
	})
	add(s, "main.interfaceGeneric", func() {
		interfaceGeneric(entry[string, *pair]{"k", &pair{1, 2}}, &stack[any]{[]any{int16(1), pair{3, 4}}})
	})
	add(s, "main.interfaceNested", func() { interfaceNested([]any{map[string]any{"inner": []any{celsius(1.5), weekday(2)}}}) })
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
