package config

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger"
)

// eachSetting visits the table and the fields of lists of objects.
func eachSetting(t *testing.T, visit func(t *testing.T, s *setting, root any)) {
	t.Helper()
	for _, s := range table {
		t.Run(s.key, func(t *testing.T) {
			config := Default()
			visit(t, s, &config)
		})
		if s.list == nil {
			continue
		}
		for i := range s.list.fields {
			f := &s.list.fields[i]
			t.Run(s.key+"[]."+f.key, func(t *testing.T) { visit(t, f, s.list.element()) })
		}
	}
}

func TestEverySettingIsComplete(t *testing.T) {
	t.Parallel()
	keySyntax := regexp.MustCompile(`^[a-z]+(_[a-z]+)*(\.[a-z]+(_[a-z]+)*)*$`)
	eachSetting(t, func(t *testing.T, s *setting, _ any) {
		t.Helper()
		require.Regexp(t, keySyntax, s.key)
		require.True(t, strings.HasSuffix(s.doc, "."), "the manual is made of sentences: %q", s.doc)
		require.NotContains(t, s.doc, "\n")
		require.NotEmpty(t, s.example)
		require.Equal(t, s.kind == kindEnum, len(s.values) > 0, "values are those of an enum")
		require.Equal(t, s.kind == kindObjects, s.list != nil, "a list of objects has a table")
		if s.bounded() {
			require.Less(t, s.min, s.max, "a number has bounds")
		} else {
			require.Zero(t, s.min)
			require.Zero(t, s.max)
		}
	})
}

// TestKindsFitFields: a kind that does not fit the Go field would panic when a
// user sets it.
func TestKindsFitFields(t *testing.T) {
	t.Parallel()
	types := map[kind]reflect.Type{
		kindString:   reflect.TypeFor[*string](),
		kindEnum:     reflect.TypeFor[*string](),
		kindBool:     reflect.TypeFor[*bool](),
		kindInt:      reflect.TypeFor[*int](),
		kindSize:     reflect.TypeFor[*int](),
		kindDuration: reflect.TypeFor[*time.Duration](),
		kindStrings:  reflect.TypeFor[*[]string](),
		kindJSON:     reflect.TypeFor[*[]debugger.ProbeSource](),
	}
	eachSetting(t, func(t *testing.T, s *setting, root any) {
		t.Helper()
		if s.kind == kindObjects {
			require.Equal(t, reflect.Slice, reflect.TypeOf(s.at(root)).Elem().Kind())
			return
		}
		require.Equal(t, types[s.kind], reflect.TypeOf(s.at(root)))
	})
}

// TestSettingsAreApart: two rows of the table never share a field, a key or an
// environment variable.
func TestSettingsAreApart(t *testing.T) {
	t.Parallel()
	config := Default()
	fields, keys, variables := map[any]string{}, map[string]string{}, map[string]string{}
	for _, s := range table {
		pointer := s.at(&config)
		require.Empty(t, fields[pointer], "%s and %s are the same field", s.key, fields[pointer])
		fields[pointer] = s.key
		require.Empty(t, keys[s.key], "%s is there twice", s.key)
		keys[s.key] = s.key
		require.False(t, isSection(s.key), "%s is a section and a setting", s.key)
		names := []string{s.env()}
		for _, a := range s.aliases {
			names = append(names, a.name)
		}
		for _, name := range names {
			require.Empty(t, variables[name], "%s sets %s and %s", name, variables[name], s.key)
			variables[name] = s.key
		}
	}
}

func TestDefaultsAreValid(t *testing.T) {
	t.Parallel()
	eachSetting(t, func(t *testing.T, s *setting, root any) {
		t.Helper()
		message, _ := s.verify(s.load(root))
		require.Empty(t, message)
	})
}

// TestExamplesLoad reads every example of the documentation as a user would
// write it.
func TestExamplesLoad(t *testing.T) {
	t.Parallel()
	for _, s := range table {
		t.Run(s.key, func(t *testing.T) {
			t.Parallel()
			l := &loader{set: map[string][]assignment{}}
			text := outline([]*setting{s}, func(out *strings.Builder, indent string, s *setting) {
				out.WriteString(indent + s.name() + ":")
				if strings.HasPrefix(s.example, "- ") {
					out.WriteString("\n" + indent + "  " + strings.ReplaceAll(s.example, "\n", "\n"+indent+"  ") + "\n")
					return
				}
				out.WriteString(" " + s.example + "\n")
			})
			l.decodeText(newSource("example", text), text, layerFile)
			require.Empty(t, l.problems)
			require.Len(t, l.set[s.key], 1)
		})
	}
}

func TestKeysAreSorted(t *testing.T) {
	t.Parallel()
	keys := Keys()
	require.Len(t, keys, len(table))
	require.True(t, slices.IsSorted(keys))
	require.Contains(t, keys, "serverless.heartbeat_interval")
}

// TestEnvironmentNames pins the generated names: users have them in their
// deployments.
func TestEnvironmentNames(t *testing.T) {
	t.Parallel()
	require.Equal(t, "VIGIL_API_KEY", byKey["api_key"].env())
	require.Equal(t, "VIGIL_SERVERLESS_HEARTBEAT_INTERVAL", byKey["serverless.heartbeat_interval"].env())
	require.Equal(t, "VIGIL_LOGS_ENDPOINT_TLS_CA_FILE", byKey["logs.endpoint.tls.ca_file"].env())
}

// TestProbeExampleIsAProbe: the engine takes the probe of the manual.
func TestProbeExampleIsAProbe(t *testing.T) {
	t.Parallel()
	text := "debugger:\n  enabled: true\n  targets: [{pid: 1}]\n  probes:\n    " + strings.ReplaceAll(byKey["debugger.probes"].example, "\n", "\n    ") + "\n"
	require.Len(t, loadText(t, text).Config.Debugger.Probes, 1)
}
