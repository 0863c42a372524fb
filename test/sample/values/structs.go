package main

type base struct {
	ID   int
	Name string
}

type derived struct {
	base
	*pair
	Extra bool
}

type mixed struct {
	A bool
	B int64
	C uint8
	D string
	E []int
	F float64
	G *int
}

type outer struct {
	Inner struct {
		Most struct{ Value int }
		Flag bool
	}
	After uint16
}

type big struct {
	F01, F02, F03, F04, F05, F06, F07, F08 int
	F09, F10, F11, F12, F13, F14, F15, F16 int
	F17, F18, F19, F20, F21, F22, F23, F24 int
}

type padded struct {
	_ uint8
	A uint32
	_ [3]uint8
	B uint8
}

type account struct {
	User     string
	Password string
	APIKey   []byte
	Session  map[string]string
}

//go:noinline
func structSmall(v pair) { use(v) }

//go:noinline
func structEmpty(v struct{}) { use(v) }

//go:noinline
func structMixed(v mixed) { use(v) }

//go:noinline
func structNested(v outer) { use(v) }

//go:noinline
func structEmbedded(v derived) { use(v) }

//go:noinline
func structBig(v big) { use(v) }

//go:noinline
func structPadded(v padded) { use(v) }

//go:noinline
func structAnonymous(v struct{ X, Y int8 }) { use(v) }

// Its secrets are not shown.
//
//go:noinline
func structSecret(v account, token string) { use(v); use(token) }

//go:noinline
func (p pair) Sum() int { use(p); return p.Left + p.Right }

//go:noinline
func (b *base) Rename(to string) { use(b); b.Name = to }

func init() {
	const s = "structs"
	add(s, "main.structSmall", func() { structSmall(pair{1, 2}) })
	add(s, "main.structEmpty", func() { structEmpty(struct{}{}) })
	add(s, "main.structMixed", func() {
		n := 5
		structMixed(mixed{true, -2, 3, "four", []int{5}, 0.5, &n})
	})
	add(s, "main.structNested", func() {
		var v outer
		v.Inner.Most.Value, v.Inner.Flag, v.After = 1, true, 2
		structNested(v)
	})
	add(s, "main.structEmbedded", func() { structEmbedded(derived{base{1, "one"}, &pair{2, 3}, true}) })
	add(s, "main.structBig", func() { structBig(big{F01: 1, F20: 20, F21: 21, F24: 24}) })
	add(s, "main.structPadded", func() { structPadded(padded{A: 1, B: 2}) })
	add(s, "main.structAnonymous", func() { structAnonymous(struct{ X, Y int8 }{1, 2}) })
	add(s, "main.structSecret", func() {
		structSecret(account{"ada", "hunter2", []byte("key"), map[string]string{"theme": "dark", "jwt": "ey"}}, "secret")
	})
	add(s, "main.pair.Sum", func() { pair{1, 2}.Sum() })
	add(s, "main.(*base).Rename", func() { (&base{1, "one"}).Rename("two") })
}
