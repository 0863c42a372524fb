package debugger

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/plan"
)

func TestUnreadable(t *testing.T) {
	t.Parallel()
	place := func(reasons ...string) *plan.Plan {
		p := &plan.Plan{}
		for i, name := range []string{"a", "b", "c"} {
			p.Variables = append(p.Variables, plan.Variable{Name: name, Unavailable: reasons[i]})
		}
		return p
	}
	for _, tt := range []struct {
		plans []*plan.Plan
		want  []string
	}{
		{[]*plan.Plan{place("", "", "")}, nil},
		{[]*plan.Plan{place("gone", "split", "gone")}, []string{"not readable: a, c: gone", "not readable: b: split"}},
		{[]*plan.Plan{place("gone", "", "gone"), place("gone", "", "split")}, []string{
			"not readable: a: gone", "not readable at some of the places: c: gone", "not readable at some of the places: c: split",
		}},
	} {
		require.Equal(t, tt.want, unreadable(tt.plans))
	}
}
