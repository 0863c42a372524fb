package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ceiling is the most lines a file written by hand may have.
const ceiling = 800

// generatedMark is the line by which Go marks generated files.
var generatedMark = regexp.MustCompile(`(?m)^// Code generated .* DO NOT EDIT\.$`)

func checkCeiling(_ context.Context, r *repo) ([]string, error) {
	var broken []string
	err := r.goFiles(func(file string) error {
		data, err := os.ReadFile(filepath.Join(r.root, file))
		if err != nil {
			return err
		}
		if lines := bytes.Count(data, []byte("\n")); lines > ceiling && !generatedMark.Match(data) {
			broken = append(broken, fmt.Sprintf("%s: %d lines; split it by subject", file, lines))
		}
		return nil
	})
	return broken, err
}

func checkGenerated(ctx context.Context, r *repo) ([]string, error) {
	before, err := r.digests(ctx)
	if err != nil {
		return nil, err
	}
	if err := r.generate(ctx); err != nil {
		return nil, err
	}
	after, err := r.digests(ctx)
	if err != nil {
		return nil, err
	}
	var broken []string
	for name, digest := range after {
		if before[name] != digest {
			broken = append(broken, name+": was not up to date; commit what `go run ./tasks gen` wrote")
		}
	}
	return broken, nil
}

// digests are the contents of every file that git tracks or would track.
func (r *repo) digests(ctx context.Context) (map[string][sha256.Size]byte, error) {
	list, err := r.output(ctx, command{name: "git", args: []string{"ls-files", "-z", "--cached", "--others", "--exclude-standard"}})
	if err != nil {
		return nil, err
	}
	digests := map[string][sha256.Size]byte{}
	for name := range strings.SplitSeq(strings.TrimRight(list, "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(r.root, name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		digests[name] = sha256.Sum256(data)
	}
	return digests, nil
}
