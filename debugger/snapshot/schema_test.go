package snapshot_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/snapshot/schemacheck"
)

// checkSchema fails the test unless the schema allows the document.
func checkSchema(tb testing.TB, text []byte) {
	tb.Helper()
	require.NoError(tb, schemacheck.Validate(text))
}

// TestSchemaRefuses shows that the schema says no: each case breaks one thing
// in a document that is valid.
func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	m := cases["structs"](newMemory())
	valid := string(decode(t, m.plan, m.event()).AppendJSON(nil))
	checkSchema(t, []byte(valid))
	for name, change := range map[string][2]string{
		"a key missing":            {`"ddsource":"dd_debugger",`, ``},
		"another source":           {`"dd_debugger"`, `"tea"`},
		"an unknown key":           {`"ddsource"`, `"ddsauce"`},
		"a number for a scalar":    {`{"type":"int","value":"42"}`, `{"type":"int","value":42}`},
		"a value without its type": {`{"type":"int","value":"42"}`, `{"value":"42"}`},
		"an invented reason":       {`"notCapturedReason":"fieldCount"`, `"notCapturedReason":"tea"`},
		"only a type":              {`{"type":"int","value":"42"}`, `{"type":"int"}`},
		"a bad id":                 {`01234567-89ab-4cde`, `01234567-89ab-3cde`},
		"a size that is not one":   {`"value":"tea"`, `"size":"-1","truncated":true,"value":"tea"`},
		"truncated without a size": {`"value":"tea"`, `"truncated":true,"value":"tea"`},
		"a frame without a line":   {`,"lineNumber":31`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			broken := strings.Replace(valid, change[0], change[1], 1)
			require.NotEqual(t, valid, broken, "the change does not apply")
			require.True(t, json.Valid([]byte(broken)))
			require.Error(t, schemacheck.Validate([]byte(broken)))
		})
	}
}
