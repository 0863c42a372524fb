package debugger_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// contextUntil is canceled when the channel is closed.
func contextUntil(parent context.Context, stop <-chan struct{}) context.Context {
	ctx, cancel := context.WithTimeout(parent, wait)
	go func() {
		defer cancel()
		select {
		case <-stop:
		case <-ctx.Done():
		}
	}()
	return ctx
}

// lineOf is the number of the line of testdata/calls that ends in a mark.
func lineOf(t *testing.T, mark string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/calls/main.go")
	require.NoError(t, err)
	for i, line := range strings.Split(string(text), "\n") {
		if strings.HasSuffix(line, mark) {
			return strconv.Itoa(i + 1)
		}
	}
	t.Fatalf("no line ends in %q", mark)
	return ""
}
