package probe_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/plan"
	"github.com/vigil-agent/vigil/debugger/probe"
)

func TestParseWhole(t *testing.T) {
	t.Parallel()
	defs, err := probe.Parse("orders.json", []byte(`{
  "id": "orders-in", "version": 4, "type": "LOG_PROBE", "language": "go",
  "where": {"methodName": "main.(*Server).Handle"},
  "captureSnapshot": true,
  "capture": {"maxReferenceDepth": 5, "maxFieldCount": 7, "maxCollectionSize": 11, "maxLength": 13},
  "sampling": {"snapshotsPerSecond": 2.5},
  "evaluateAt": "ENTRY",
  "tags": ["team:tea", "env:dev"]
}`))
	require.NoError(t, err)
	require.Equal(t, []probe.Definition{{
		ID: "orders-in", Version: 4,
		Function:           "main.(*Server).Handle",
		Limits:             plan.Limits{Depth: 5, Collection: 11, Length: 13, Fields: 7},
		SnapshotsPerSecond: 2.5,
		Tags:               []string{"team:tea", "env:dev"},
		Origin:             "orders.json:1:1",
	}}, defs)
}

func TestParseDefaults(t *testing.T) {
	t.Parallel()
	minimal := probe.Definition{ID: "p", Function: "main.f", Limits: plan.DefaultLimits(), SnapshotsPerSecond: 1, Origin: "vigil.yaml:12:5"}
	for name, text := range map[string]string{
		"absent": `{"id":"p","where":{"methodName":"main.f"},"captureSnapshot":true}`,
		"zero": `{"id":"p","where":{"methodName":"main.f"},"captureSnapshot":true,"sampling":{"snapshotsPerSecond":0},
			"capture":{"maxReferenceDepth":0,"maxFieldCount":0,"maxCollectionSize":0,"maxLength":0}}`,
		"null": `{"id":"p","where":{"methodName":"main.f","typeName":null},"captureSnapshot":true,"capture":null,"sampling":null,"tags":null}`,
		"unsupported keys that say nothing": `{"id":"p","where":{"methodName":"main.f","lines":[],"sourceFile":""},"captureSnapshot":true,
			"when":null,"template":"","segments":[],"captureExpressions":[]}`,
		"language in capitals": `{"id":"p","language":"Go","evaluateAt":"DEFAULT","where":{"methodName":"main.f"},"captureSnapshot":true}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defs, err := probe.Parse("vigil.yaml:12:5", []byte(text))
			require.NoError(t, err)
			require.Equal(t, []probe.Definition{minimal}, defs)
		})
	}
}

// TestParsePlaces reads what a probe is on, and whether its returns count.
func TestParsePlaces(t *testing.T) {
	t.Parallel()
	for place, tc := range map[string]struct {
		text string
		want probe.Definition
	}{
		"main.f":        {`"evaluateAt":"EXIT","where":{"methodName":"main.f"}`, probe.Definition{Function: "main.f", Returns: true}},
		"app/main.go:7": {`"where":{"sourceFile":"app/main.go","lines":["7"]}`, probe.Definition{File: "app/main.go", Line: 7}},
		"main.go:12":    {`"where":{"methodName":"main.f","sourceFile":"main.go","lines":[12]}`, probe.Definition{Function: "main.f", File: "main.go", Line: 12}},
	} {
		tc.want.ID, tc.want.Limits, tc.want.SnapshotsPerSecond, tc.want.Origin = "p", plan.DefaultLimits(), 1, "x:1:1"
		defs, err := probe.Parse("x", []byte(`{"id":"p","captureSnapshot":true,`+tc.text+`}`))
		require.NoError(t, err)
		require.Equal(t, []probe.Definition{tc.want}, defs)
		require.Equal(t, place, defs[0].Place())
	}
}

func TestFileLine(t *testing.T) {
	t.Parallel()
	file, line, ok := probe.FileLine("app/main.go:42")
	require.True(t, ok)
	require.Equal(t, "app/main.go", file)
	require.Equal(t, 42, line)
	for _, text := range []string{"main.f", ":42", "main.go:", "main.go:x", "main.go:0", "main.go:-1"} {
		_, _, ok := probe.FileLine(text)
		require.False(t, ok, text)
	}
}

func TestParseTypeName(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ typeName, methodName, function string }{
		{"main.(*Server)", "Handle", "main.(*Server).Handle"},
		{"main.(*Server)", "main.(*Server).Handle", "main.(*Server).Handle"},
		{"main", "main.handle", "main.handle"},
		{"example.org/shop/cart.Cart", "Total", "example.org/shop/cart.Cart.Total"},
	} {
		text, err := json.Marshal(map[string]any{
			"id": "p", "captureSnapshot": true,
			"where": map[string]any{"typeName": tc.typeName, "methodName": tc.methodName},
		})
		require.NoError(t, err)
		defs, err := probe.Parse("x", text)
		require.NoError(t, err)
		require.Equal(t, tc.function, defs[0].Function)
	}
}

// TestParseRefuses compares the whole message of every file in
// testdata/refused: the definition, a line of dashes, the message.
func TestParseRefuses(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/refused/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			input, want, ok := strings.Cut(string(text), "\n---\n")
			require.True(t, ok, "no line of dashes")
			_, err = probe.Parse("probes.json", []byte(input))
			var got *probe.Error
			require.ErrorAs(t, err, &got)
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(input+"\n---\n"+got.Error()+"\n"), 0o600))
				return
			}
			require.Equal(t, want, got.Error()+"\n")
		})
	}
}

func TestParseKeepsTheGoodOnes(t *testing.T) {
	t.Parallel()
	defs, err := probe.Parse("f.json", []byte(`[
 {"id":"a","where":{"methodName":"main.a"},"captureSnapshot":true},
 {"id":"b","where":{"methodName":"main.b"},"captureSnapshot":true,"when":{"dsl":"x > 1","json":{"gt":[{"ref":"x"},1]}}},
 {"id":"c","where":{"methodName":"main.c"},"captureSnapshot":true}
]`))
	require.EqualError(t, err, `f.json:3:67: probe "b": when: conditions are not supported by this version; remove the key`)
	require.Len(t, defs, 2)
	require.Equal(t, "a", defs[0].ID)
	require.Equal(t, "f.json:2:2", defs[0].Origin)
	require.Equal(t, "c", defs[1].ID)
	require.Equal(t, "f.json:4:2", defs[1].Origin)
}

func TestParseExactPlaceHasNoOffsets(t *testing.T) {
	t.Parallel()
	_, err := probe.Parse("vigil.yaml:31:7", []byte(`{"id":"a","captureSnapshot":true,"where":{"methodNme":"main.f"}}`))
	require.EqualError(t, err, `vigil.yaml:31:7: probe "a": where.methodNme: unknown key; did you mean "methodName"?`)
}

func TestParseTooLong(t *testing.T) {
	t.Parallel()
	_, err := probe.Parse("big.json", make([]byte, 5<<20))
	require.ErrorContains(t, err, "big.json:1:1: is 5242880 bytes long; at most 4194304 are read")
}

func TestParseEmptyList(t *testing.T) {
	t.Parallel()
	defs, err := probe.Parse("none.json", []byte(`[]`))
	require.NoError(t, err)
	require.Empty(t, defs)
}

// FuzzParse holds Parse to: no panic; every definition that is returned is
// complete and within its bounds; every problem has a place in the text.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/refused/*.txt")
	require.NoError(f, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(f, err)
		input, _, _ := strings.Cut(string(text), "\n---\n")
		f.Add([]byte(input))
	}
	f.Add([]byte(`{"id":"p","where":{"methodName":"main.f"},"captureSnapshot":true,"tags":["a"],"sampling":{"snapshotsPerSecond":1e2}}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, data []byte) {
		defs, err := probe.Parse("f", data)
		for _, d := range defs {
			require.NotEmpty(t, d.ID)
			require.NotEmpty(t, d.Function)
			require.True(t, d.Limits.Depth > 0 && d.Limits.Depth <= probe.MaxDepth)
			require.True(t, d.Limits.Collection > 0 && d.Limits.Collection <= probe.MaxCollection)
			require.True(t, d.Limits.Length > 0 && d.Limits.Length <= probe.MaxLength)
			require.True(t, d.Limits.Fields > 0 && d.Limits.Fields <= probe.MaxFields)
			require.True(t, d.SnapshotsPerSecond > 0 && d.SnapshotsPerSecond <= probe.MaxSnapshotsPerSecond)
		}
		if err == nil {
			return
		}
		var list *probe.Error
		require.ErrorAs(t, err, &list)
		require.NotEmpty(t, list.Problems)
		for _, p := range list.Problems {
			require.Positive(t, p.Line)
			require.Positive(t, p.Column)
			require.NotEmpty(t, p.Message)
		}
	})
}
