package robust

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// reference is a test as the page names it: its folder in code, then its name.
var reference = regexp.MustCompile("`([a-z0-9/]+)` (Test[A-Za-z0-9_]+)")

// TestDefectsAreShownAbsent: every defect of the specification's section 6 has a
// row in logs/DEFECTS.md, and each test that a row names exists.
func TestDefectsAreShownAbsent(t *testing.T) {
	t.Parallel()
	const defects, root = 34, "../.."
	page, err := os.ReadFile(filepath.Join(root, "logs", "DEFECTS.md"))
	require.NoError(t, err)
	tests := map[string]map[string]bool{}
	want := 1
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "| D") {
			continue
		}
		cells := strings.Split(strings.TrimSpace(line), "|")
		require.Len(t, cells, 5, line)
		id := strings.TrimSpace(cells[1])
		require.Equal(t, "D"+strconv.Itoa(want), id, "defects are in order and none is left out")
		want++
		named := reference.FindAllStringSubmatch(cells[3], -1)
		require.NotEmpty(t, named, "%s names no test", id)
		require.Len(t, named, strings.Count(cells[3], "Test"), "%s: a test without its folder", id)
		for _, r := range named {
			if tests[r[1]] == nil {
				tests[r[1]] = testsIn(t, filepath.Join(root, filepath.FromSlash(r[1])))
			}
			require.True(t, tests[r[1]][r[2]], "%s: %s has no test %s", id, r[1], r[2])
		}
	}
	require.Equal(t, defects, want-1)
}

// testsIn are the tests of a folder.
func testsIn(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	require.NoError(t, err)
	tests := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				tests[f.Name.Name] = true
			}
		}
	}
	return tests
}
