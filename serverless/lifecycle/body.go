package lifecycle

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/vigil-agent/vigil/serverless/microvm"
)

// MaxBodyBytes caps the body of every hook. The platform's own payload is at
// most 16 KiB (specification sections 2.3 and 9).
const MaxBodyBytes = 1 << 20

// readBody reads the whole body, or fails: a cut or oversized body must not
// change any state.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	return io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBodyBytes))
}

// Spellings of the instance id in the body of run: the current one, and the one
// of the beta.
const (
	idField     = "microvmId"
	betaIDField = "microVmId"
)

// ParseRun finds the instance id in the body of the run hook and makes it safe
// for a tag. The current spelling wins over the beta one. Anything that is not a
// JSON object with a usable string gives "": that is no error. changed reports
// that the id is not what the platform sent.
func ParseRun(body []byte) (id string, changed bool) {
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) != nil {
		return "", false
	}
	for _, name := range []string{idField, betaIDField} {
		var raw string
		if json.Unmarshal(fields[name], &raw) != nil || raw == "" {
			continue
		}
		var altered bool
		id, altered = microvm.SanitizeID(raw)
		changed = changed || altered
		if id != "" {
			return id, changed
		}
	}
	return "", changed
}
