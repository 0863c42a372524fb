package bpf

// Regenerating needs clang and the headers of libbpf and Linux (Debian: clang
// llvm libbpf-dev); building does not, because the objects are committed.
//
//go:generate go tool bpf2go -go-package bpf -output-stem capture -target amd64,arm64 capture c/capture.bpf.c -- -O2 -g -mcpu=v3 -Wall -Werror -Ic -I/usr/include/x86_64-linux-gnu
