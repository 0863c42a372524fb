package binary_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/binary/binarytest"
)

// sourcePackages are compared with their source: many functions, all kinds of
// signatures, no build constraints that matter.
var sourcePackages = []string{"fmt", "strconv", "net/http", "encoding/json", "reflect", "go/parser", "text/template", "math/big", "sort", "crypto/tls"}

// goroot is where the toolchain that builds the fixtures keeps its sources.
func goroot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

// declared maps the qualified names of a package's functions to their
// parameters as they should be described. Functions declared more than once, by
// files for different systems, are left out.
func declared(t *testing.T, pkg string) map[string]string {
	t.Helper()
	functions := map[string]string{}
	seen := map[string]int{}
	files, err := filepath.Glob(filepath.Join(goroot(t), "src", pkg, "*.go"))
	require.NoError(t, err)
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		require.NoError(t, err)
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Type.TypeParams != nil || f.Body == nil {
				continue
			}
			name := pkg + "." + receiver(f) + f.Name.Name
			seen[name]++
			functions[name] = signature(f)
		}
	}
	for name, n := range seen {
		if n > 1 || strings.Contains(name, "[") {
			delete(functions, name)
		}
	}
	return functions
}

func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	switch typ := f.Recv.List[0].Type.(type) {
	case *ast.StarExpr:
		if id, ok := typ.X.(*ast.Ident); ok {
			return "(*" + id.Name + ")."
		}
	case *ast.Ident:
		return typ.Name + "."
	}
	return "["
}

// signature spells the parameters: blank and nameless arguments are ~p and their
// index, receiver included; such results are ~r and theirs.
func signature(f *ast.FuncDecl) string {
	var args, results []string
	add := func(dst []string, blank string, list *ast.FieldList) []string {
		for _, field := range list.List {
			names := field.Names
			if len(names) == 0 {
				names = []*ast.Ident{{Name: "_"}}
			}
			for _, id := range names {
				name := id.Name
				if name == "_" {
					name = fmt.Sprintf("~%s%d", blank, len(dst))
				}
				dst = append(dst, name)
			}
		}
		return dst
	}
	if f.Recv != nil {
		args = add(args, "p", f.Recv)
	}
	args = add(args, "p", f.Type.Params)
	if f.Type.Results != nil {
		results = add(results, "r", f.Type.Results)
	}
	return fmt.Sprint(args, results)
}

// TestSignatureMatchesSource compares the parameters with the source they were
// compiled from. The results of the few functions that the compiler rewrites
// for range-over-func are not described.
func TestSignatureMatchesSource(t *testing.T) {
	t.Parallel()
	bin := open(t, binarytest.Command(t, "cmd/go"))
	want := map[string]string{}
	for _, pkg := range sourcePackages {
		maps.Copy(want, declared(t, pkg))
	}
	checked := 0
	var wrong []string
	require.NoError(t, bin.Functions(func(fn binary.Function) bool {
		text, ok := want[fn.Name]
		if !ok || fn.Assembly {
			return true
		}
		sig, err := bin.Signature(&fn, binary.Reach{})
		require.NoError(t, err, fn.Name)
		var args, results []string
		for _, p := range sig.Params {
			if p.Result {
				results = append(results, p.Name)
			} else {
				args = append(args, p.Name)
			}
		}
		checked++
		if got := fmt.Sprint(args, results); got != text {
			wrong = append(wrong, fn.Name+": "+got+", want "+text)
		}
		return true
	}))
	t.Logf("%d of %d functions differ from their source: %v", len(wrong), checked, wrong)
	require.Greater(t, checked, 1000)
	require.LessOrEqual(t, len(wrong), checked/1000)
}
