package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// modulePrefix is what the path of every module of ours starts with.
const modulePrefix = "github.com/vigil-agent/vigil/"

// repo is the checkout the verbs work on.
type repo struct {
	// root is the absolute path of the folder that holds go.work.
	root string
	// modules are the workspace's modules, sorted by directory name.
	modules []module
}

// module is one member of the workspace.
type module struct {
	// dir is its folder's name and the last part of its path.
	dir  string
	file *modfile.File
}

// openRepo finds the checkout around the working directory.
func openRepo() (*repo, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			return readRepo(dir)
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return nil, errors.New("no go.work above the working directory; run this inside a checkout")
		}
		dir = parent
	}
}

func readRepo(root string) (*repo, error) {
	data, err := os.ReadFile(filepath.Join(root, "go.work"))
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork("go.work", data, nil)
	if err != nil {
		return nil, fmt.Errorf("read go.work: %w", err)
	}
	r := &repo{root: root}
	for _, use := range work.Use {
		name := filepath.Join(use.Path, "go.mod")
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return nil, fmt.Errorf("go.work uses %s: %w", use.Path, err)
		}
		file, err := modfile.Parse(name, data, nil)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		r.modules = append(r.modules, module{dir: filepath.Base(use.Path), file: file})
	}
	slices.SortFunc(r.modules, func(a, b module) int { return strings.Compare(a.dir, b.dir) })
	return r, nil
}

// names are the modules' folders.
func (r *repo) names() []string {
	names := make([]string, len(r.modules))
	for i, m := range r.modules {
		names[i] = m.dir
	}
	return names
}

// pick resolves folder names given on a command line; none means all.
func (r *repo) pick(names []string) ([]module, error) {
	if len(names) == 0 {
		return r.modules, nil
	}
	var picked []module
	for _, name := range names {
		i := slices.IndexFunc(r.modules, func(m module) bool { return m.dir == strings.Trim(name, "./") })
		if i < 0 {
			return nil, fmt.Errorf("no module %q; the modules are %s", name, strings.Join(r.names(), ", "))
		}
		picked = append(picked, r.modules[i])
	}
	return picked, nil
}

// siblings are the modules of ours that m requires, by folder.
func (m module) siblings() []string {
	var dirs []string
	for _, require := range m.file.Require {
		if dir, ours := strings.CutPrefix(require.Mod.Path, modulePrefix); ours {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// dependants are dir and every module that requires it, directly or through
// others, sorted.
func (r *repo) dependants(dir string) []string {
	found := map[string]bool{dir: true}
	for grew := true; grew; {
		grew = false
		for _, m := range r.modules {
			if !found[m.dir] && slices.ContainsFunc(m.siblings(), func(s string) bool { return found[s] }) {
				found[m.dir], grew = true, true
			}
		}
	}
	var dirs []string
	for _, name := range r.names() {
		if found[name] {
			dirs = append(dirs, name)
		}
	}
	return dirs
}

// goFiles calls visit with the path, relative to the root, of every Go file.
func (r *repo) goFiles(visit func(path string) error) error {
	return filepath.WalkDir(r.root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != r.root && strings.HasPrefix(entry.Name(), "."):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		relative, err := filepath.Rel(r.root, path)
		if err != nil {
			return err
		}
		return visit(filepath.ToSlash(relative))
	})
}
