package snapshot

import (
	"bytes"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/vigil-agent/vigil/debugger/plan"
)

// envelope is the JSON object of one probe hit (debugger specification, section
// 1.1). A slot is what differs from hit to hit; the rest is the same for every
// hit of a plan and is marshalled once.
type envelope struct {
	Service     slotOf `json:"service"`
	Source      string `json:"ddsource"`
	ProcessTags slotOf `json:"process_tags,omitzero"`
	Timestamp   slotOf `json:"timestamp"`
	Duration    slotOf `json:"duration,omitzero"`
	Span        slotOf `json:"dd,omitzero"`
	Logger      struct {
		Name       string `json:"name"`
		Method     string `json:"method"`
		Version    int    `json:"version"`
		ThreadID   slotOf `json:"thread_id"`
		ThreadName string `json:"thread_name"`
	} `json:"logger"`
	Debugger struct {
		Type     string `json:"type"`
		Snapshot struct {
			ID        slotOf `json:"id"`
			Timestamp slotOf `json:"timestamp"`
			Language  string `json:"language"`
			Stack     slotOf `json:"stack"`
			Probe     struct {
				ID       string `json:"id"`
				Location struct {
					Method string `json:"method"`
					File   string `json:"file,omitzero"`
					Line   int    `json:"line,omitzero"`
				} `json:"location"`
			} `json:"probe"`
			Captures         slotOf `json:"captures"`
			EvaluationErrors slotOf `json:"evaluationErrors,omitzero"`
		} `json:"snapshot"`
	} `json:"debugger"`
}

// slotOf names what fills a place in the envelope.
type slotOf uint8

const (
	slotService     slotOf = iota + 1 // string
	slotProcessTags                   // string
	slotTimestamp                     // milliseconds since 1970
	slotGoroutine                     // number of the goroutine
	slotSnapshotID                    // UUID
	slotStack                         // array of frames, innermost first
	slotCaptures                      // object of capture points
	slotDuration                      // nanoseconds
	slotSpan                          // object of ids
	slotErrors                        // array of expressions without a value, and why
)

func newEnvelope(p *plan.Plan) *envelope {
	e := &envelope{Service: slotService, Source: "dd_debugger", Timestamp: slotTimestamp}
	e.Logger.Method = p.Function
	e.Logger.Version = p.ProbeVersion
	e.Logger.ThreadID = slotGoroutine
	e.Debugger.Type = "snapshot"
	s := &e.Debugger.Snapshot
	s.ID = slotSnapshotID
	s.Timestamp = slotTimestamp
	s.Language = "go"
	s.Stack = slotStack
	s.Probe.ID = p.ProbeID
	s.Probe.Location.Method = p.Function
	s.Captures = slotCaptures
	for _, site := range p.Sites {
		if site.Kind == plan.SiteLine {
			s.Probe.Location.File, s.Probe.Location.Line = site.File, site.Line
			break
		}
	}
	return e
}

// variant says which of the optional members an envelope has.
type variant uint8

const (
	withTags variant = 1 << iota
	withDuration
	withErrors
	withSpan
	variants
)

// envelopes are the marshalled forms of one plan's envelope.
type envelopes [variants][]segment

// segment is constant text and the slot that follows it; the last has none.
type segment struct {
	text []byte
	slot slotOf
}

func newEnvelopes(p *plan.Plan) (all envelopes, err error) {
	e := newEnvelope(p)
	member := func(v, flag variant, slot slotOf) slotOf {
		if v&flag == 0 {
			return 0
		}
		return slot
	}
	for v := range variants {
		e.ProcessTags = member(v, withTags, slotProcessTags)
		e.Duration = member(v, withDuration, slotDuration)
		e.Span = member(v, withSpan, slotSpan)
		e.Debugger.Snapshot.EvaluationErrors = member(v, withErrors, slotErrors)
		if all[v], err = e.segments(); err != nil {
			return all, err
		}
	}
	return all, nil
}

// appendError appends an expression that has no value, and why, to the members of
// an array.
func appendError(dst []byte, expr, message string) []byte {
	if len(dst) > 0 {
		dst = append(dst, ',')
	}
	dst, _ = jsontext.AppendQuote(append(dst, `{"expr":`...), expr)
	dst, _ = jsontext.AppendQuote(append(dst, `,"message":`...), message)
	return append(dst, '}')
}

// segments marshals the envelope and cuts it at its slots.
func (e *envelope) segments() ([]segment, error) {
	var out bytes.Buffer
	var slots []segment
	var ends []int
	// A slot is marshalled as null, and where that ended is noted.
	note := json.MarshalToFunc(func(enc *jsontext.Encoder, s slotOf) error {
		err := enc.WriteToken(jsontext.Null)
		slots, ends = append(slots, segment{slot: s}), append(ends, int(enc.OutputOffset()))
		return err
	})
	opts := json.JoinOptions(json.WithMarshalers(note), jsontext.AllowInvalidUTF8(true))
	if err := json.MarshalEncode(jsontext.NewEncoder(&out, opts), e); err != nil {
		return nil, err
	}
	text, from := bytes.TrimRight(out.Bytes(), "\n"), 0
	for i, end := range ends {
		slots[i].text = text[from : end-len("null")]
		from = end
	}
	return append(slots, segment{text: text[from:]}), nil
}
