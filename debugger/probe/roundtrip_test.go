package probe_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/probe"
)

// TestDefinitionsReadBack writes random definitions as JSON, indented or not,
// and reads them: nothing is lost, nothing is added.
func TestDefinitionsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var want []probe.Definition
		var list []any
		for i := range rapid.IntRange(1, 4).Draw(t, "definitions") {
			d := probe.Definition{
				ID:       string(rune('a'+i)) + rapid.String().Draw(t, "id"),
				Version:  rapid.IntRange(0, 1<<31-1).Draw(t, "version"),
				Function: rapid.StringMatching(`[a-z/.]{0,10}[a-z]\.(\(\*T\)\.)?[A-Za-z]{1,8}`).Draw(t, "function"),
				Limits: plan.Limits{
					Depth:      rapid.IntRange(1, probe.MaxDepth).Draw(t, "depth"),
					Collection: rapid.IntRange(1, probe.MaxCollection).Draw(t, "collection"),
					Length:     rapid.IntRange(1, probe.MaxLength).Draw(t, "length"),
					Fields:     rapid.IntRange(1, probe.MaxFields).Draw(t, "fields"),
				},
				SnapshotsPerSecond: rapid.Float64Range(0.001, probe.MaxSnapshotsPerSecond).Draw(t, "rate"),
				Tags:               rapid.SliceOfN(rapid.String(), 1, 3).Draw(t, "tags"),
				Origin:             "vigil.yaml:1:1",
			}
			want = append(want, d)
			list = append(list, map[string]any{
				"id": d.ID, "version": d.Version, "type": "LOG_PROBE", "language": "go", "captureSnapshot": true, "tags": d.Tags,
				"where":    map[string]any{"methodName": d.Function},
				"sampling": map[string]any{"snapshotsPerSecond": d.SnapshotsPerSecond},
				"capture": map[string]any{
					"maxReferenceDepth": d.Limits.Depth, "maxCollectionSize": d.Limits.Collection,
					"maxLength": d.Limits.Length, "maxFieldCount": d.Limits.Fields,
				},
			})
		}
		text, err := json.Marshal(list)
		require.NoError(t, err)
		if rapid.Bool().Draw(t, "indented") {
			var b bytes.Buffer
			require.NoError(t, json.Indent(&b, text, " ", "\t"))
			text = b.Bytes()
		}
		got, err := probe.Parse("vigil.yaml:1:1", text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
