package snapshot_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// call is the first line of the text.
func call(t *testing.T, args ...arg) string {
	t.Helper()
	m := newMemory().args(args...)
	line, _, _ := strings.Cut(string(decode(t, m.plan, m.event()).AppendText(nil)), "\n")
	return line
}

// TestLineIsAGlance shows where the one-line form stops and the tree does not.
func TestLineIsAGlance(t *testing.T) {
	t.Parallel()
	type d struct{ V *d }
	deep := &d{&d{&d{}}}
	type box struct {
		A struct {
			B struct{ C struct{ D struct{ E int } } }
		}
	}
	for want, value := range map[string]any{
		"main.handle(v=[]int{0, 0, 0, 0, 0, 0, 0, 0, …})":                                           new(make([]int, 9)),
		"main.handle(v=[]int{0, 0, 0, 0, 0, 0, 0, 0})":                                              new(make([]int, 8)),
		`main.handle(v="` + strings.Repeat("é", 32) + `"…(66 bytes))`:                               new(strings.Repeat("é", 33)),
		"main.handle(v=*snapshot_test.d{V:*snapshot_test.d{V:*snapshot_test.d{V:nil}}})":            &deep,
		"main.handle(v=[]string{})":                                                                 new([]string{}),
		"main.handle(v=1e+300)":                                                                     new(1e300),
		"main.handle(v=(1e-10+1e+30i))":                                                             new(complex(1e-10, 1e30)),
		"main.handle(v=[][]int{nil, []int{1}})":                                                     new([][]int{nil, {1}}),
		"main.handle(v=snapshot_test.box{A:struct { B struct { C struct { D struct { E int } } } }": new(box{}),
	} {
		got := call(t, arg{"v", value})
		if strings.Contains(want, "box") { // the type's name alone is longer than a line
			require.True(t, strings.HasPrefix(got, want), got)
			require.Contains(t, got, "{…}")
			continue
		}
		require.Equal(t, want, got)
	}
	m := newMemory().args(arg{"v", new(strings.Repeat("é", 33))})
	require.Contains(t, string(decode(t, m.plan, m.event()).AppendTree(nil)), `v string = "`+strings.Repeat("é", 33)+"\"\n")
}

// TestTextWithoutStack has nothing below the moment.
func TestTextWithoutStack(t *testing.T) {
	t.Parallel()
	m := newMemory()
	e := m.event()
	e.Stack = nil
	require.Equal(t, "main.handle()\n  15:10:56.535897  goroutine 18  pid 4242  shop\n", string(decode(t, m.plan, e).AppendText(nil)))
}
