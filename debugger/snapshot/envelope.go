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
				} `json:"location"`
			} `json:"probe"`
			Captures         slotOf            `json:"captures"`
			EvaluationErrors []evaluationError `json:"evaluationErrors,omitempty"`
		} `json:"snapshot"`
	} `json:"debugger"`
}

// evaluationError says why an expression, here a variable, has no value.
type evaluationError struct {
	Expr    string `json:"expr"`
	Message string `json:"message"`
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
	for _, v := range p.Variables {
		if v.Unavailable != "" && v.Role != plan.RoleResult {
			s.EvaluationErrors = append(s.EvaluationErrors, evaluationError{Expr: v.Name, Message: v.Unavailable})
		}
	}
	return e
}

// envelopes are the marshalled forms of one plan's envelope.
type envelopes struct{ plain, tagged []segment }

// segment is constant text and the slot that follows it; the last has none.
type segment struct {
	text []byte
	slot slotOf
}

func newEnvelopes(p *plan.Plan) (envelopes, error) {
	e := newEnvelope(p)
	plain, err := e.segments()
	if err != nil {
		return envelopes{}, err
	}
	e.ProcessTags = slotProcessTags
	tagged, err := e.segments()
	return envelopes{plain, tagged}, err
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
