package record

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLastOrigins(t *testing.T) {
	t.Parallel()
	o := func(source string, end int64) Record { return Record{Origin: Origin{Source: source, End: end}} }
	require.Nil(t, LastOrigins([]Record{o("", 0), o("", 7)}))
	require.Equal(t, []Origin{{Source: "a", End: 5}, {Source: "b", End: 4}, {Source: "c", End: 1}},
		LastOrigins([]Record{o("a", 1), o("a", 2), o("b", 3), o("", 9), o("c", 1), o("b", 4), o("a", 5)}))
}
