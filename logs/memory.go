package logs

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/vigil-agent/vigil/logs/registry"
	"github.com/vigil-agent/vigil/logs/stream"
)

// Keys of what the stream remembers in the registry.
const (
	sessionKey     = "stream.session"
	profilesPrefix = "stream.profiles "
)

// memory is the stream's store: it keeps the session and what receiving sides
// announced in the registry.
type memory struct{ *registry.Registry }

var _ stream.Store = memory{}

// Session implements stream.Store. What cannot be read is no session: a new one is
// begun, at the cost of exactly-once for what is on its way.
func (m memory) Session() (s stream.Session) {
	if json.Unmarshal([]byte(m.Recall(sessionKey)), &s) != nil {
		return stream.Session{}
	}
	return s
}

// SaveSession implements stream.Store.
func (m memory) SaveSession(s stream.Session) error {
	text, err := json.Marshal(s)
	if err == nil {
		err = m.Remember(sessionKey, string(text))
	}
	if err == nil {
		err = m.Flush(context.Background())
	}
	if err != nil {
		return fmt.Errorf("save the session: %w", err)
	}
	return nil
}

// forgetSession makes the next process, or clone, begin a session of its own.
func (m memory) forgetSession() error {
	err := m.Remember(sessionKey, "")
	if err == nil {
		err = m.Flush(context.Background())
	}
	return err
}

// announced is what a receiving side answered.
type announced struct {
	Profiles []string  `json:"profiles"`
	Asked    time.Time `json:"asked"`
}

// Profiles implements stream.Store.
func (m memory) Profiles(address string) ([]string, time.Time) {
	var a announced
	if json.Unmarshal([]byte(m.Recall(profilesPrefix+address)), &a) != nil {
		return nil, time.Time{}
	}
	return a.Profiles, a.Asked
}

// SaveProfiles implements stream.Store.
func (m memory) SaveProfiles(address string, profiles []string, asked time.Time) error {
	text, err := json.Marshal(announced{profiles, asked.UTC()})
	if err == nil {
		err = m.Remember(profilesPrefix+address, string(text))
	}
	if err != nil {
		return fmt.Errorf("save the profiles of %s: %w", address, err)
	}
	return nil
}
