package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// confD is the directory beside the main file with further ones.
const confD = "conf.d"

// readFiles reads the main file, then conf.d/*.yaml in the order of the names:
// of two files with the same setting the later one wins.
func (l *loader) readFiles(file, defaultFile string) {
	named := file != ""
	if !named {
		file = defaultFile
	}
	l.readFile(file, layerFile, !named)
	dir := filepath.Join(filepath.Dir(file), confD)
	entries, err := os.ReadDir(dir)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			l.failFile(dir, err, "")
		}
		return
	}
	for _, e := range entries { // os.ReadDir sorts
		path := filepath.Join(dir, e.Name())
		switch filepath.Ext(e.Name()) {
		case ".yaml":
			l.readFile(path, layerConfD, false)
		case ".yml":
			l.warnings = append(l.warnings, Problem{File: path, Message: "not read: the name does not end in .yaml"})
		}
	}
}

func (l *loader) readFile(path, layer string, optional bool) {
	text, err := readLimited(path)
	switch {
	case err == nil:
	case optional && errors.Is(err, fs.ErrNotExist):
		return
	case errors.Is(err, fs.ErrNotExist):
		l.failFile(path, err, "vigil looks for "+DefaultFile+" when no file is named")
		return
	default:
		l.failFile(path, err, "")
		return
	}
	l.files = append(l.files, path)
	l.decodeText(newSource(path, text), text, layer)
}

func (l *loader) failFile(path string, err error, hint string) {
	if !slices.Contains(l.files, path) {
		l.files = append(l.files, path)
	}
	message := err.Error()
	if withPath, ok := errors.AsType[*fs.PathError](err); ok {
		message = withPath.Op + ": " + withPath.Err.Error() // the path is in front already
	}
	l.problems = append(l.problems, Problem{File: path, Message: "cannot be read: " + message, Hint: hint, cause: err})
}

func readLimited(path string) (text string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	bytes, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err != nil {
		return "", err
	}
	if len(bytes) > maxFileBytes {
		return "", fmt.Errorf("larger than %s, so hardly a configuration", formatSize(maxFileBytes))
	}
	return string(bytes), nil
}
