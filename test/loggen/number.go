package loggen

import (
	"bytes"
	"slices"
	"strconv"
)

const (
	textNumber = "seq="
	jsonNumber = `{"seq":`
)

// number puts n in front of a line.
func number(line []byte, n uint64) []byte {
	var head []byte
	if len(line) > 1 && line[0] == '{' {
		head = append(strconv.AppendUint([]byte(jsonNumber), n, 10), ',')
		line = line[1:]
	} else {
		head = append(strconv.AppendUint([]byte(textNumber), n, 10), ' ')
	}
	return slices.Concat(head, line)
}

// Number is the number of a numbered line; ok is false when it has none.
func Number(line []byte) (n uint64, ok bool) {
	rest, end := line, byte(' ')
	if after, is := bytes.CutPrefix(line, []byte(textNumber)); is {
		rest = after
	} else if after, is := bytes.CutPrefix(line, []byte(jsonNumber)); is {
		rest, end = after, ','
	} else {
		return 0, false
	}
	i := bytes.IndexByte(rest, end)
	if i < 0 {
		return 0, false
	}
	n, err := strconv.ParseUint(string(rest[:i]), 10, 64)
	return n, err == nil
}
