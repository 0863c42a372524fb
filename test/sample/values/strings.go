package main

import "strings"

type name string

type words struct {
	First, Second name
	Count         int
	Third         *string
}

//go:noinline
func stringPlain(v string) { use(v) }

//go:noinline
func stringEmpty(v string) { use(v) }

//go:noinline
func stringUnicode(v string) { use(v) }

//go:noinline
func stringInvalid(v string) { use(v) }

//go:noinline
func stringControl(v string) { use(v) }

//go:noinline
func stringMassive(v string) { use(v) }

// Clipped within a character.
//
//go:noinline
func stringClippedInRune(v string) { use(v) }

//go:noinline
func stringThree(a, b, c string) { use(a); use(b); use(c) }

//go:noinline
func stringNamed(v name) { use(v) }

//go:noinline
func stringsInStruct(v words) { use(v) }

func init() {
	const s = "strings"
	add(s, "main.stringPlain", func() { stringPlain("plain") })
	add(s, "main.stringEmpty", func() { stringEmpty("") })
	add(s, "main.stringUnicode", func() { stringUnicode("größer 語 🎉") })
	add(s, "main.stringInvalid", func() { stringInvalid("a\xffb\xc3") })
	add(s, "main.stringControl", func() { stringControl("tab\tquote\"line\nnul\x00</script>\u2028") })
	add(s, "main.stringMassive", func() { stringMassive(strings.Repeat("0123456789", 1_000_000)) })
	add(s, "main.stringClippedInRune", func() { stringClippedInRune(strings.Repeat("語", 100)) })
	add(s, "main.stringThree", func() { stringThree("one", "", "three") })
	add(s, "main.stringNamed", func() { stringNamed("ada") })
	add(s, "main.stringsInStruct", func() {
		third := "three"
		stringsInStruct(words{"one", "two", 2, &third})
	})
}
