package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadSnapshot(t *testing.T) {
	t.Parallel()
	call, stack, err := readSnapshot([]byte(`{"logger":{"method":"main.(*shop).checkout"},"debugger":{"snapshot":{
		"stack":[{"function":"main.(*shop).checkout","fileName":"shop.go","lineNumber":71}],
		"captures":{"entry":{"arguments":{
			"s":{"type":"*main.shop","address":"0xc0","notCapturedReason":"depth"},
			"order":{"type":"*main.Order","address":"0xc1","fields":{"ID":{"type":"int64","value":"7"},
				"Items":{"type":"[]string","size":"2","elements":[{"type":"string","value":"tea"},{"type":"string","value":"rye"}]}}},
			"coupon":{"type":"string","value":""},
			"err":{"type":"error","isNull":true},
			"ch":{"type":"chan int","address":"0x1"}
		}}}}}}`))
	require.NoError(t, err)
	require.Equal(t, `main.(*shop).checkout(order=*main.Order{ID: 7, Items: []string{"tea", "rye"}}, coupon="", err=nil, ch=chan int(0x1))`, call)
	require.Equal(t, []string{"main.(*shop).checkout shop.go:71"}, stack)
	_, _, err = readSnapshot([]byte("{"))
	require.Error(t, err)
}
