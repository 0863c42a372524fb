package robust

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// reference is a test as the page names it: its folder in code, then its name.
var reference = regexp.MustCompile("`([a-z0-9/]+)` (Test[A-Za-z0-9_]+)")

// root is the repository's.
const root = "../.."

// shown reads a page of logs: the tests that each row of its table names, by the
// row's id, and the ids in order. Each of the tests exists.
func shown(t *testing.T, page string, ids *regexp.Regexp) (order []string, named map[string][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "logs", page))
	require.NoError(t, err)
	tests := map[string]map[string]bool{}
	named = map[string][]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if !ids.MatchString(cells[0]) {
			continue
		}
		id, last := cells[0], cells[len(cells)-1]
		order = append(order, id)
		references := reference.FindAllStringSubmatch(last, -1)
		require.NotEmpty(t, references, "%s names no test", id)
		require.Len(t, references, strings.Count(last, "Test"), "%s: a test without its folder", id)
		for _, r := range references {
			if tests[r[1]] == nil {
				tests[r[1]] = testsIn(t, filepath.Join(root, filepath.FromSlash(r[1])))
			}
			require.True(t, tests[r[1]][r[2]], "%s: %s has no test %s", id, r[1], r[2])
			named[id] = append(named[id], r[1]+" "+r[2])
		}
	}
	return order, named
}

// numbered are the ids letter1 to letterN.
func numbered(letter string, n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = letter + strconv.Itoa(i+1)
	}
	return ids
}

// TestDefectsAreShownAbsent: every defect of the specification's section 6 has a
// row in logs/DEFECTS.md, and each test that a row names exists.
func TestDefectsAreShownAbsent(t *testing.T) {
	t.Parallel()
	order, _ := shown(t, "DEFECTS.md", regexp.MustCompile(`^D\d+$`))
	require.Equal(t, numbered("D", 34), order)
}

// casesOf are the cases that the name of a test begins with.
var casesOf = regexp.MustCompile(`^Test((?:[A-Z]\d+_)*[A-Z]\d+)(?:[_A-Z]|$)`)

// TestCasesAreShown: every case of section 7 has a row in logs/CASES.md, which names
// the tests whose names begin with the case: one for each of the sender's, of the
// faults and of the receiving side's.
func TestCasesAreShown(t *testing.T) {
	t.Parallel()
	order, named := shown(t, "CASES.md", regexp.MustCompile(`^[EPCFS]\d+$`))
	require.Equal(t, slices.Concat(numbered("E", 15), numbered("P", 12), numbered("C", 12), numbered("F", 31), numbered("S", 8)), order)
	have := map[string][]string{}
	for _, top := range []string{"logs", "test"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, top), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.IsDir() || entry.Name() == "testdata" {
				return err
			}
			folder, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			for name := range testsIn(t, path) {
				if m := casesOf.FindStringSubmatch(name); m != nil {
					for id := range strings.SplitSeq(m[1], "_") {
						have[id] = append(have[id], filepath.ToSlash(folder)+" "+name)
					}
				}
			}
			return nil
		}))
	}
	for _, id := range order {
		require.ElementsMatch(t, have[id], named[id], id)
		if strings.ContainsAny(id[:1], "CFS") {
			require.Len(t, named[id], 1, id)
		}
	}
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
