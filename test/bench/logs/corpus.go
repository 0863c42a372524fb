package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/test/loggen"
)

// corpus is what is encoded: records in the order of one stream.
type corpus struct {
	name string
	recs []record.Record
	// raw is the size as a file: messages and their line feeds.
	raw int
	// floor is the bytes drawn at random to make the corpus, time and status
	// included; 0 when the corpus comes from elsewhere.
	floor float64
}

// start is the time of every corpus's first line.
const start = 1_790_000_000_000

// tags is the tag set of a source: constant, and of the size that containers have.
func tags(name string) string {
	return "hostname:ip-10-4-17-201.eu-west-1.compute.internal,service:" + name + ",ddsource:" + name +
		",env:prod,version:4.18.2,team:platform,availability-zone:eu-west-1b,kube_namespace:" + name +
		",kube_deployment:" + name + ",kube_container_name:" + name + ",pod_name:" + name + "-7c9f8d6b54-x2lqv,image_tag:4.18.2-3f9ac1e"
}

// readCorpus makes a corpus of a file's first lines; lines 0 means all.
func readCorpus(path string, lines int, seed uint64) (*corpus, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	if len(data) == 0 {
		return nil, fmt.Errorf("corpus %s: no lines", name)
	}
	c := &corpus{name: name}
	clock := clock{rng: rand.New(rand.NewPCG(seed, 1)), now: start}
	tags := tags(name)
	for len(data) > 0 && (lines == 0 || len(c.recs) < lines) {
		line, rest, found := bytes.Cut(data, []byte{'\n'})
		data = rest
		c.raw += len(line)
		if found {
			c.raw++
		}
		c.recs = append(c.recs, record.Record{Time: clock.next(), Status: clock.status(line), Tags: tags, Message: line})
	}
	return c, nil
}

// makeCorpus generates lines of one kind.
func makeCorpus(kind string, lines int, seed uint64) (*corpus, error) {
	g, err := loggen.New(kind, seed)
	if err != nil {
		return nil, err
	}
	c := &corpus{name: kind, recs: make([]record.Record, lines)}
	tags := tags(kind)
	for i := range c.recs {
		l := g.Line()
		c.recs[i] = record.Record{Time: l.Time, Status: l.Status, Tags: tags, Message: bytes.Clone(l.Message)}
		c.raw += len(l.Message) + 1
	}
	c.floor = g.Bits() / 8
	return c, nil
}

// clock draws what a tailer would know about a line beside its text.
type clock struct {
	rng *rand.Rand
	now int64
}

// next advances by 5 ms in the mean.
func (c *clock) next() int64 {
	c.now += int64(c.rng.ExpFloat64() * 5)
	return c.now
}

// severities are the words that tell a line's status, the most severe first.
var severities = []struct {
	status string
	words  [][]byte
}{
	{"error", [][]byte{[]byte("ERROR"), []byte("error"), []byte("FATAL"), []byte("SEVERE")}},
	{"warn", [][]byte{[]byte("WARN"), []byte("warn")}},
	{"info", [][]byte{[]byte("INFO"), []byte("info"), []byte("NOTICE"), []byte("notice"), []byte("DEBUG"), []byte("debug")}},
}

// status is the level written in the line's head, or one drawn as skewed as
// levels are.
func (c *clock) status(line []byte) string {
	head := line[:min(len(line), 120)]
	for _, s := range severities {
		for _, word := range s.words {
			if bytes.Contains(head, word) {
				return s.status
			}
		}
	}
	switch p := c.rng.Float64(); {
	case p < 0.01:
		return "error"
	case p < 0.04:
		return "warn"
	default:
		return "info"
	}
}

// interleaved is the name of the corpus made of all others.
const interleaved = "all interleaved"

// interleave is all corpora in one stream, line by line in turn: a host with
// several sources and one pipeline.
func interleave(all []*corpus) *corpus {
	c := &corpus{name: interleaved}
	known := true
	longest := 0
	for _, one := range all {
		c.raw += one.raw
		c.floor += one.floor
		known = known && one.floor > 0
		longest = max(longest, len(one.recs))
	}
	if !known {
		c.floor = 0
	}
	for i := range longest {
		for _, one := range all {
			if i < len(one.recs) {
				c.recs = append(c.recs, one.recs[i])
			}
		}
	}
	return c
}
