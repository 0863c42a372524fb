package main

type callback func(int) error

//go:noinline
func funcNil(v func()) { use(v) }

//go:noinline
func funcPlain(v func(int) map[int]int) { use(v) }

//go:noinline
func funcClosure(v func() int) { use(v) }

//go:noinline
func funcMethodValue(v func() int) { use(v) }

//go:noinline
func funcMethodExpression(v func(pair) int) { use(v) }

//go:noinline
func funcNamed(v callback) { use(v) }

//go:noinline
func funcInStruct(v struct{ F func() }) { use(v) }

// funcLiteral makes the function literal that the probe is on; it has captured
// variables.
//
//go:noinline
func funcLiteral(kept string) func(int) {
	return func(n int) {
		kept += "."
		use(n)
		use(kept)
	}
}

// funcSecret makes a function literal that takes what is hidden, by value and by
// reference.
//
//go:noinline
func funcSecret(password, user string) func() {
	token := user
	return func() {
		token += password
		use(token)
		use(user)
	}
}

func init() {
	const s = "functions"
	add(s, "main.funcSecret.func1", func() { funcSecret("hunter2", "ada")() })
	add(s, "main.funcNil", func() { funcNil(nil) })
	add(s, "main.funcPlain", func() { funcPlain(filled) })
	add(s, "main.funcClosure", func() {
		n := 0
		funcClosure(func() int { n++; return n })
	})
	add(s, "main.funcMethodValue", func() { funcMethodValue(pair{1, 2}.Sum) })
	add(s, "main.funcMethodExpression", func() { funcMethodExpression(pair.Sum) })
	add(s, "main.funcNamed", func() { funcNamed(func(int) error { return nil }) })
	add(s, "main.funcInStruct", func() { funcInStruct(struct{ F func() }{paramsNone}) })
	add(s, "main.funcLiteral.func1", func() { funcLiteral("kept")(1) })
}
