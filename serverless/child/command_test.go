package child_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/serverless/child"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ in, want []string }{
		"program":            {[]string{"app"}, []string{"app"}},
		"one string":         {[]string{"  app --port\t8080\n"}, []string{"app", "--port", "8080"}},
		"several strings":    {[]string{"app", "a b", ""}, []string{"app", "a b", ""}},
		"program with space": {[]string{"my app", "x"}, []string{"my app", "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := child.Split(tt.in)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
	for _, in := range [][]string{nil, {}, {""}, {" \t"}, {"", "x"}} {
		_, err := child.Split(in)
		require.ErrorIs(t, err, child.ErrNoCommand)
		_, err = child.New(in, child.Deps{})
		require.ErrorIs(t, err, child.ErrNoCommand)
	}
}
