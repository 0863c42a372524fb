package binary_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
	"github.com/vigil-agent/vigil/debugger/binary/disasm"
)

// TestCheaperSeesTheSame moves the place of every marked line: to an emulated
// instruction of the same statement, with the same variables at the same places,
// or not at all. Some are moved in every build.
func TestCheaperSeesTheSame(t *testing.T) {
	t.Parallel()
	for name, build := range scopeBuilds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := fixture(t, "scope", build)
			moved := 0
			for line := range scopeLines(t) {
				places, err := bin.FindLine("main.go", line)
				if err != nil {
					continue // nothing is left to do on the line
				}
				for _, at := range places {
					to := bin.Cheaper(at)
					if to == at {
						continue
					}
					moved++
					require.Greater(t, to.PC, at.PC)
					require.Less(t, to.PC, at.End)
					for place, want := range map[binary.Place]disasm.Class{at: disasm.Stepped, to: disasm.Emulated} {
						class, _, _, err := bin.Inside(place)
						require.NoError(t, err)
						require.Equal(t, want, class)
					}
					before, err := bin.Scope(at, binary.Reach{Depth: 1})
					require.NoError(t, err)
					after, err := bin.Scope(to, binary.Reach{Depth: 1})
					require.NoError(t, err)
					require.Equal(t, before.Variables, after.Variables)
				}
			}
			require.Positive(t, moved)
		})
	}
}

// TestCheaperBeforeTheLine leaves the place of a line alone that changes a variable in
// its register before a cheaper instruction comes: there the value is another one.
func TestCheaperBeforeTheLine(t *testing.T) {
	t.Parallel()
	bin := fixture(t, "scope", binarytest.Build{})
	fn, err := bin.FindFunction("main.bounded")
	require.NoError(t, err)
	places, err := bin.FindLine("main.go", fn.Line+1)
	require.NoError(t, err)
	require.Len(t, places, 1)
	class, _, _, err := bin.Inside(places[0])
	require.NoError(t, err)
	require.Equal(t, disasm.Stepped, class, "it adds")
	require.Equal(t, places[0], bin.Cheaper(places[0]))
}
