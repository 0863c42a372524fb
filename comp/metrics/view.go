package metrics

import (
	"errors"
	"time"

	"github.com/vigil-agent/vigil/comp/metrics/series"
)

// view emits with or without the global tags.
type view struct {
	d     *Datadog
	scope series.Scope
}

func (v view) Gauge(name string, value float64, tags []string, _ float64) error {
	return v.d.add(v.scope, series.Gauge, name, value, tags)
}

func (v view) Count(name string, value int64, tags []string, _ float64) error {
	return v.d.add(v.scope, series.Count, name, float64(value), tags)
}

func (v view) Distribution(name string, value float64, tags []string, _ float64) error {
	return v.d.add(v.scope, series.Distribution, name, value, tags)
}

// add never waits for the network: it only takes the aggregate's lock.
func (d *Datadog) add(scope series.Scope, kind series.Kind, name string, value float64, tags []string) error {
	if !d.on.Load() {
		return nil
	}
	d.ledger.emitted.Add(1)
	if !d.silence.enter() {
		d.ledger.drop(dropSnapshot, 1)
		return nil
	}
	defer d.silence.leave()
	err := d.aggregate.Add(time.Now(), scope, kind, name, value, tags)
	switch {
	case errors.Is(err, series.ErrFull):
		d.ledger.drop(dropFull, 1)
	case err != nil:
		d.ledger.drop(dropInvalid, 1)
	}
	return err
}
