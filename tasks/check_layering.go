package main

import (
	"context"
	"fmt"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// mayImport says which modules of ours the files of a module may import, itself
// aside. fx is for comp and test alone.
var mayImport = map[string][]string{
	"serverless": {},
	"debugger":   {},
	"logs":       {},
	"tasks":      {},
	"comp":       {"serverless", "debugger", "logs"},
	"test":       {"serverless", "debugger", "logs", "comp"},
}

var mayImportFx = []string{"comp", "test"}

func checkLayering(_ context.Context, r *repo) ([]string, error) {
	var broken []string
	err := r.goFiles(func(file string) error {
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(r.root, file), nil, parser.ImportsOnly)
		if err != nil {
			return fmt.Errorf("parse %s: %w", file, err)
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return fmt.Errorf("parse %s: %w", file, err)
			}
			if reason := forbidden(file, path); reason != "" {
				broken = append(broken, fmt.Sprintf("%s imports %s: %s", file, path, reason))
			}
		}
		return nil
	})
	return broken, err
}

// forbidden is why the file may not import the path, or "".
func forbidden(file, path string) string {
	from, _, _ := strings.Cut(file, "/")
	allowed, known := mayImport[from]
	if !known {
		return ""
	}
	if strings.HasPrefix(path, "go.uber.org/fx") && !slices.Contains(mayImportFx, from) {
		return "fx is for comp and test"
	}
	rest, ours := strings.CutPrefix(path, modulePrefix)
	if !ours {
		return ""
	}
	to, _, _ := strings.Cut(rest, "/")
	if to != from && !slices.Contains(allowed, to) {
		return from + " may not import " + to
	}
	return ""
}
