package serverless

import (
	"context"

	"github.com/vigil-agent/vigil/serverless/child"
	"github.com/vigil-agent/vigil/serverless/lifecycle"
	"github.com/vigil-agent/vigil/serverless/usage"
)

// restored notes in the identity that the machine came to life.
func (e *Engine) restored(r lifecycle.Restore) {
	if r.Hook == lifecycle.Run {
		e.book.Run(r.ID)
	} else {
		e.book.Resume()
	}
	if e.cfg.IdentityFile == "" {
		return
	}
	if err := e.book.Current().Write(e.cfg.IdentityFile); err != nil {
		e.log.Warn("the identity file is out of date", "err", err)
	}
}

// identified passes a new instance id on.
func (e *Engine) identified(next func(string)) func(string) {
	return func(id string) {
		e.usage.SetID(id)
		if next != nil {
			next(id)
		}
	}
}

// hygiene is what a snapshot must not surprise: the collector, and every part
// after it.
func (e *Engine) hygiene(parts []lifecycle.Hygiene) []lifecycle.Hygiene {
	list := []lifecycle.Hygiene{e.usage}
	for _, part := range parts {
		list = append(list, silenced{Hygiene: part, usage: e.usage, app: e.app})
	}
	return list
}

// silenced is a part that clears its buffers only after what fills them: the
// collector has fallen silent, and the application's output has arrived.
type silenced struct {
	lifecycle.Hygiene
	usage *usage.Collector
	app   *child.Child
}

// BeforeSnapshot implements lifecycle.Hygiene.
func (s silenced) BeforeSnapshot(ctx context.Context) {
	s.usage.BeforeSnapshot(ctx)
	_ = s.app.Drain(ctx) // what is not here by then comes after the restore
	s.Hygiene.BeforeSnapshot(ctx)
}
