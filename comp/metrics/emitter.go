package metrics

import "slices"

// usage emits through the client as it is.
type usage struct{ s *Statsd }

func (u usage) Gauge(name string, value float64, tags []string, rate float64) error {
	client := u.s.client.Load()
	if client == nil {
		return nil
	}
	u.s.sent.Add(1)
	return client.Gauge(name, value, tags, rate)
}

func (u usage) Count(name string, value int64, tags []string, rate float64) error {
	client := u.s.client.Load()
	if client == nil {
		return nil
	}
	u.s.sent.Add(1)
	return client.Count(name, value, tags, rate)
}

func (u usage) Distribution(name string, value float64, tags []string, rate float64) error {
	client := u.s.client.Load()
	if client == nil {
		return nil
	}
	u.s.sent.Add(1)
	return client.Distribution(name, value, tags, rate)
}

// tagged adds the user's tags before the metric's own.
type tagged struct {
	out  Emitter
	tags []string
}

func (t tagged) Gauge(name string, value float64, tags []string, rate float64) error {
	return t.out.Gauge(name, value, slices.Concat(t.tags, tags), rate)
}

func (t tagged) Count(name string, value int64, tags []string, rate float64) error {
	return t.out.Count(name, value, slices.Concat(t.tags, tags), rate)
}

func (t tagged) Distribution(name string, value float64, tags []string, rate float64) error {
	return t.out.Distribution(name, value, slices.Concat(t.tags, tags), rate)
}
