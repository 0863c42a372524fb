package lifecycle

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/vigil-agent/vigil/serverless/microvm"
)

// MaxBodyBytes caps the body of every hook. The platform's own payload is at
// most 16 KiB (specification sections 2.3 and 9).
const MaxBodyBytes = 1 << 20

const (
	// smallBody is what is read of any body at once, in bytes: twice the
	// platform's payload.
	smallBody = 32 << 10
	// largeBodies is how many larger ones are in memory at the same time: every
	// process in the machine can send them.
	largeBodies = 8
)

// errBusy says that too many large bodies are being handled.
var errBusy = errors.New("too many large bodies at the same time")

// readBody reads the whole body, or fails: a cut or oversized body must not
// change any state. done must be called when the body is not needed any more.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (body []byte, done func(), err error) {
	reader := http.MaxBytesReader(w, r.Body, MaxBodyBytes)
	body, err = io.ReadAll(io.LimitReader(reader, smallBody+1))
	if err != nil || len(body) <= smallBody {
		return body, func() {}, err
	}
	patience := time.NewTimer(readTimeout)
	defer patience.Stop()
	select {
	case s.large <- struct{}{}:
	case <-r.Context().Done():
		return nil, nil, r.Context().Err()
	case <-patience.C:
		return nil, nil, errBusy
	}
	done = func() { <-s.large }
	rest, err := io.ReadAll(reader)
	if err != nil {
		done()
		return nil, nil, err
	}
	return append(body, rest...), done, nil
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
