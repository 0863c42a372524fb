package rows

import (
	_ "embed"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

//go:embed PROTOCOL.md
var protocolPage string

// The example of the page is what the encoder does.
func TestProtocolExample(t *testing.T) {
	t.Parallel()
	s := newSession(t, Options{})
	lines := "user alice logged in from 10.0.0.7\nuser bob logged in from 10.0.0.8, attempt 2\nuser bob logged in from 10.0.0.9\n"
	require.Contains(t, protocolPage, "```\n"+lines+"```\n")
	var in []record.Record
	for i, l := range []string{"user alice logged in from 10.0.0.7", "user bob logged in from 10.0.0.8, attempt 2", "user bob logged in from 10.0.0.9"} {
		in = append(in, record.Record{Time: 1_700_000_000_000 + int64(i), Status: "info", Tags: "service:shop", Message: []byte(l)})
	}
	require.Contains(t, protocolPage, "```\n"+s.send(in...)+"```\n")
}
