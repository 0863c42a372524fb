package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

func checkDirective(_ context.Context, r *repo) ([]string, error) {
	directives := map[string]string{}
	for _, m := range r.modules {
		directives[m.dir+"/go.mod"] = m.file.Go.Version
	}
	for _, name := range []string{"go.work", "tasks/tools/go.mod"} {
		data, err := os.ReadFile(filepath.Join(r.root, name))
		if err != nil {
			return nil, err
		}
		file, err := modfile.ParseLax(name, data, nil)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		directives[name] = file.Go.Version
	}
	want := directives["go.work"]
	var broken []string
	for name, got := range directives {
		if got != want {
			broken = append(broken, fmt.Sprintf("%s says go %s, go.work says go %s", name, got, want))
		}
	}
	return broken, nil
}

func checkSiblings(_ context.Context, r *repo) ([]string, error) {
	var broken []string
	for _, m := range r.modules {
		replaced := map[string]string{}
		for _, replace := range m.file.Replace {
			replaced[replace.Old.Path] = replace.New.Path
		}
		for _, dir := range m.siblings() {
			if got, want := replaced[modulePrefix+dir], "../"+dir; got != want {
				broken = append(broken, fmt.Sprintf("%s/go.mod: %s%s needs replace => %s", m.dir, modulePrefix, dir, want))
			}
		}
		for _, require := range m.file.Require {
			if _, ours := replaced[require.Mod.Path]; ours && require.Mod.Version != "v0.0.0" {
				broken = append(broken, fmt.Sprintf("%s/go.mod:%d: require %s v0.0.0", m.dir, require.Syntax.Start.Line, require.Mod.Path))
			}
		}
	}
	return broken, nil
}

func checkTidy(ctx context.Context, r *repo) ([]string, error) {
	var broken []string
	for _, m := range r.modules {
		if _, err := r.output(ctx, command{dir: m.dir, env: []string{"GOWORK=off"}, name: "go", args: []string{"mod", "tidy", "-diff"}}); err != nil {
			broken = append(broken, err.Error())
		}
	}
	return broken, nil
}

func checkAlone(ctx context.Context, r *repo) ([]string, error) {
	var broken []string
	for _, m := range r.modules {
		for _, verb := range []string{"build", "vet"} {
			if _, err := r.output(ctx, command{dir: m.dir, env: []string{"GOWORK=off"}, name: "go", args: []string{verb, "./..."}}); err != nil {
				broken = append(broken, err.Error())
			}
		}
	}
	return broken, nil
}
