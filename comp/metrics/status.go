package metrics

import (
	"fmt"

	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/status"
)

// Status implements status.Provider.
func (s *Statsd) Status() status.Section {
	stats := s.Stats()
	text := []string{"off: metrics.statsd_address is empty"}
	if s.address != "" {
		text = []string{fmt.Sprintf("%d sent to %s by DogStatsD, %d failed writes", stats.Sent, stats.Address, stats.Errors)}
	}
	if dropped := stats.droppedText(); dropped != "" {
		text = append(text, "dropped: "+dropped)
	}
	if stats.LastError != "" {
		text = append(text, "last failure: "+stats.LastError)
	}
	return status.Section{Name: name, Data: stats, Text: text}
}

// Health implements health.Reporter. Nobody has to listen to datagrams, so an
// output that has an address is well.
func (s *Statsd) Health() health.Report {
	if s.address == "" {
		return health.Report{Name: name, State: health.Off}
	}
	return health.Report{Name: name, State: health.OK}
}
