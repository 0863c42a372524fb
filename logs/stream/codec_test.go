package stream

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vigil-agent/vigil/logs/record"
)

// wordCodec is a small stateful codec for tests: each distinct message is told
// once under an id and then referred to. Its data is text, one datum a line.
type wordCodec struct {
	// maxData bounds the data of a batch, maxWords the live entries; the oldest
	// that the batch does not use are deleted first. 0 means no bound.
	maxData, maxWords int
}

var errWordsTooLarge = errors.New("batch too large")

func (c wordCodec) Profile() string         { return ProfileRows }
func (c wordCodec) ContentEncoding() string { return "identity" }
func (c wordCodec) NewState(l Limits) (Encoder, Ledger, error) {
	if c.maxData == 0 || l.DataBytes < c.maxData {
		c.maxData = l.DataBytes
	}
	e := &wordEncoder{codec: c}
	e.Reset()
	return e, &wordLedger{}, nil
}

// flowCodec is a wordCodec whose state lives as long as a stream, like that of
// columns; ids start at 1 on each.
type flowCodec struct{ wordCodec }

func (flowCodec) Profile() string { return ProfileColumns }
func (c flowCodec) NewState(l Limits) (Encoder, Ledger, error) {
	enc, _, err := c.wordCodec.NewState(l)
	return flowEncoder{enc}, nil, err
}

type flowEncoder struct{ Encoder }

func (e flowEncoder) Reset() {
	if w, ok := e.Encoder.(*wordEncoder); ok {
		w.Reset()
		w.last = 0
	}
}

type wordEncoder struct {
	codec wordCodec
	ids   map[string]int
	last  int
}

func (e *wordEncoder) Reset() { e.ids = map[string]int{} }

func (e *wordEncoder) Encode(recs []record.Record) (Payload, error) {
	var data, changes bytes.Buffer
	ids, last, raw := maps.Clone(e.ids), e.last, 0
	used := map[int]bool{}
	for _, r := range recs {
		word := string(r.Message)
		raw += len(word)
		if ids[word] == 0 {
			last++
			ids[word] = last
			line := fmt.Sprintf("def %d %s\n", last, word)
			data.WriteString(line)
			changes.WriteString(line)
		}
		used[ids[word]] = true
		fmt.Fprintf(&data, "log %d %d\n", r.Time, ids[word])
	}
	if e.codec.maxWords > 0 {
		for _, word := range slices.SortedFunc(maps.Keys(ids), func(a, b string) int { return ids[a] - ids[b] }) {
			if len(ids) <= e.codec.maxWords || used[ids[word]] {
				break
			}
			line := fmt.Sprintf("del %d\n", ids[word])
			data.WriteString(line)
			changes.WriteString(line)
			delete(ids, word)
		}
	}
	if e.codec.maxData > 0 && data.Len() > e.codec.maxData {
		return Payload{}, errWordsTooLarge
	}
	e.ids, e.last = ids, last
	return Payload{Data: data.Bytes(), Lines: len(recs), RawBytes: raw, EncodedBytes: data.Len(), Changes: changes.String()}, nil
}

type wordLedger struct{ state wordState }

func (l *wordLedger) Apply(changes any) {
	if text, ok := changes.(string); ok {
		if _, err := l.state.decode(text); err != nil {
			panic(err)
		}
	}
}

func (l *wordLedger) Snapshot() ([]byte, error) {
	if len(l.state.words) == 0 {
		return nil, nil
	}
	return []byte(l.state.String()), nil
}

func (l *wordLedger) Bytes() int { return len(l.state.String()) }

// wordState is the receiving side of wordCodec.
type wordState struct{ words map[int]string }

func (s *wordState) String() string {
	var b strings.Builder
	for _, id := range slices.Sorted(maps.Keys(s.words)) {
		fmt.Fprintf(&b, "def %d %s\n", id, s.words[id])
	}
	return b.String()
}

// decode applies data and returns its logs as "time message".
func (s *wordState) decode(data string) ([]string, error) {
	if s.words == nil {
		s.words = map[int]string{}
	}
	var logs []string
	for line := range strings.Lines(data) {
		op, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		first, second, _ := strings.Cut(rest, " ")
		switch op {
		case "def":
			id, err := strconv.Atoi(first)
			if err != nil {
				return nil, err
			}
			s.words[id] = second
		case "del":
			id, err := strconv.Atoi(first)
			if err != nil {
				return nil, err
			}
			if _, ok := s.words[id]; !ok {
				return nil, fmt.Errorf("delete of undefined id %d", id)
			}
			delete(s.words, id)
		case "log":
			id, err := strconv.Atoi(second)
			if err != nil {
				return nil, err
			}
			word, ok := s.words[id]
			if !ok {
				return nil, fmt.Errorf("undefined id %d", id)
			}
			logs = append(logs, first+" "+word)
		default:
			return nil, fmt.Errorf("unknown datum %q", line)
		}
	}
	return logs, nil
}

// words makes one record per message, at times and offsets that count up.
func words(from int, messages ...string) []record.Record {
	recs := make([]record.Record, len(messages))
	for i, m := range messages {
		recs[i] = record.Record{Time: int64(from + i), Message: []byte(m), Origin: record.Origin{Source: "s", End: int64(from + i)}}
	}
	return recs
}
