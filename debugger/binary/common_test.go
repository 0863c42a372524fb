package binary

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
)

func TestCommonTypes(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"-ldflags=-s -w"}} {
		b, err := Open(binarytest.Fixture(t, "testdata/params", binarytest.Build{Flags: flags}))
		require.NoError(t, err)
		defer func() { require.NoError(t, b.Close()) }()
		names := map[string]bool{}
		for _, off := range b.CommonTypes() {
			name, ok := b.RuntimeTypeName(off)
			require.True(t, ok)
			require.False(t, names[name], "%s twice", name)
			names[name] = true
		}
		for _, want := range []string{"int", "string", "bool", "float64"} {
			require.True(t, names[want], "%s is missing in %v", want, names)
		}
		require.NotContains(t, names, "error")
	}
}
