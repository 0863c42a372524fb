package simulate

import (
	"bytes"
	"encoding/json"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// body is what the platform sends with the step's hook (specification section
// 2.3): for run an object with the instance id next to the caller's payload, for
// the others nothing.
func (s *Step) body() []byte {
	if s.HasBody || s.Verb != DoHook || s.Hook != lifecycle.Run || (s.ID == "" && s.Size == 0) {
		return s.Body
	}
	run := struct {
		ID      string `json:"microvmId,omitempty"`
		Payload string `json:"runHookPayload"`
	}{ID: s.ID}
	text, _ := json.Marshal(run) // two strings cannot fail
	if missing := s.Size - len(text); missing > 0 {
		run.Payload = string(bytes.Repeat([]byte("x"), missing))
		text, _ = json.Marshal(run)
	}
	return text
}
