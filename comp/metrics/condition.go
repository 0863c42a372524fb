package metrics

import (
	"fmt"
	"time"

	"github.com/vigil-agent/vigil/comp/health"
	"github.com/vigil-agent/vigil/comp/status"
)

// patience is how long deliveries may fail before the output is degraded: a few
// failures in a row are normal for a network.
const patience = 5 * time.Minute

// note remembers a failure and logs the first of a run of equal ones.
func (d *Datadog) note(err error) {
	d.mu.Lock()
	repeated := d.logged == err.Error()
	d.lastError, d.logged = err.Error(), err.Error()
	d.mu.Unlock()
	if !repeated {
		d.log.Warn("metrics were not delivered", "url", d.base, "error", err)
	}
}

// accepted notes that the API took something.
func (d *Datadog) accepted() {
	d.pace.succeeded()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.logged, d.badKey = "", false
}

// turnedDown notes that the API will not take something, perhaps because of the
// key.
func (d *Datadog) turnedDown(err error, key bool) {
	d.pace.refused(time.Now())
	d.mu.Lock()
	d.badKey = key
	d.mu.Unlock()
	d.note(err)
}

// Stats implements Component.
func (d *Datadog) Stats() Stats {
	s := d.ledger.stats()
	s.Output, s.Address = outputDatadog, d.base
	d.mu.Lock()
	defer d.mu.Unlock()
	s.LastError = d.lastError
	return s
}

// Health implements health.Reporter.
func (d *Datadog) Health() health.Report {
	failing := d.pace.failing(time.Now())
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.stopped:
		return health.Report{Name: name, State: health.Stopped}
	case !d.started:
		return health.Report{Name: name, State: health.Starting}
	case d.badKey:
		return health.Report{
			Name: name, State: health.Degraded, Reason: "the API key is refused: " + d.lastError,
			Fix: "set api_key (or DD_API_KEY) to a key of the organisation, and site to the site it belongs to",
		}
	case failing > patience:
		return health.Report{
			Name: name, State: health.Degraded,
			Reason: fmt.Sprintf("nothing was delivered for %s: %s", failing.Round(time.Second), d.lastError),
			Fix:    "see that " + d.base + " can be reached from here; behind a proxy set HTTPS_PROXY, or metrics.api_url",
		}
	default:
		return health.Report{Name: name, State: health.OK}
	}
}

// Status implements status.Provider.
func (d *Datadog) Status() status.Section {
	s := d.Stats()
	text := []string{fmt.Sprintf("%d sent to %s, %d held, %d failed requests", s.Sent, s.Address, s.Held, s.Errors)}
	if dropped := s.droppedText(); dropped != "" {
		text = append(text, "dropped: "+dropped)
	}
	if s.LastError != "" {
		text = append(text, "last failure: "+s.LastError)
	}
	return status.Section{Name: name, Data: s, Text: text}
}
