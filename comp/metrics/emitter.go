package metrics

import "github.com/DataDog/datadog-go/v5/statsd"

// usage emits through the client as it is.
type usage struct{ s *Statsd }

func (u usage) Gauge(name string, value float64, tags []string, rate float64) error {
	client := u.enter()
	if client == nil {
		return nil
	}
	defer u.leave()
	return client.Gauge(name, value, tags, rate)
}

func (u usage) Count(name string, value int64, tags []string, rate float64) error {
	client := u.enter()
	if client == nil {
		return nil
	}
	defer u.leave()
	return client.Count(name, value, tags, rate)
}

func (u usage) Distribution(name string, value float64, tags []string, rate float64) error {
	client := u.enter()
	if client == nil {
		return nil
	}
	defer u.leave()
	return client.Distribution(name, value, tags, rate)
}

// enter returns the client for one value, after which leave must follow; nil when
// the value is to go nowhere.
func (u usage) enter() *statsd.Client {
	client := u.s.client.Load()
	if client == nil {
		return nil
	}
	if !u.s.silence.enter() {
		u.s.muted.Add(1)
		return nil
	}
	u.s.sent.Add(1)
	return client
}

func (u usage) leave() { u.s.silence.leave() }

// tagged adds the global tags before the metric's own.
type tagged struct {
	out  Emitter
	tags *globalTags
}

func (t tagged) Gauge(name string, value float64, tags []string, rate float64) error {
	return t.out.Gauge(name, value, t.tags.with(tags), rate)
}

func (t tagged) Count(name string, value int64, tags []string, rate float64) error {
	return t.out.Count(name, value, t.tags.with(tags), rate)
}

func (t tagged) Distribution(name string, value float64, tags []string, rate float64) error {
	return t.out.Distribution(name, value, t.tags.with(tags), rate)
}
