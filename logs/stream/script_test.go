package stream

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// script drives a core by hand and prints what it does, one line per effect.
type script struct {
	t    *testing.T
	core *core
	now  time.Time
}

func newScript(t *testing.T, cfg Config, codec Codec) *script {
	t.Helper()
	return ladderScript(t, cfg, codec)
}

func ladderScript(t *testing.T, cfg Config, ladder ...Codec) *script {
	t.Helper()
	if cfg.Endpoints == nil {
		cfg.Endpoints = []Endpoint{{Address: "a"}}
	}
	c, err := newCore(cfg.withDefaults(), ladder, func(d time.Duration) time.Duration { return d })
	require.NoError(t, err)
	ids := 0
	c.newID = func() string { ids++; return fmt.Sprintf("s%d", ids) }
	return &script{t: t, core: c, now: time.Unix(0, 0)}
}

// do feeds one event and returns the effects as text.
func (s *script) do(feed func(c *core, now time.Time)) string {
	feed(s.core, s.now)
	var b strings.Builder
	for _, e := range s.core.take() {
		b.WriteString(show(e) + "\n")
	}
	return b.String()
}

// parked tells the core that the record has a place in the quarantine.
func (s *script) parked() string {
	return s.do(func(c *core, now time.Time) { c.parked(now, false, nil) })
}

func (s *script) append(recs ...record.Record) string {
	return s.do(func(c *core, now time.Time) { c.append(now, 0, recs) })
}

func (s *script) start() string { return s.do((*core).start) }
func (s *script) opened() string {
	return s.do(func(c *core, now time.Time) { c.opened(now, c.gen, false, nil) })
}

func (s *script) ack(id uint32) string {
	return s.do(func(c *core, now time.Time) { c.ack(now, c.cur.gen, id, true) })
}

func (s *script) ended(err error) string {
	return s.do(func(c *core, now time.Time) { c.ended(now, c.cur.gen, err) })
}

func (s *script) sleep(d time.Duration) string {
	s.now = s.now.Add(d)
	return s.do((*core).tick)
}

func show(e effect) string {
	switch e.kind {
	case effOpen:
		text := fmt.Sprintf("open %d", e.gen)
		if e.endpoint > 0 {
			text += fmt.Sprintf(" endpoint=%d", e.endpoint)
		}
		if e.ask {
			text += " ask"
		}
		if e.fallback {
			text += " fallback"
		}
		return text
	case effBegin:
		if e.session.ID == "" {
			return fmt.Sprintf("begin %d %s", e.gen, e.codec.Profile())
		}
		shifted := ""
		if e.session.Shifted {
			shifted = " shifted"
		}
		return fmt.Sprintf("begin %d %s %s/%d base=%d first=%d%s", e.gen, e.codec.Profile(), e.session.ID, e.session.Epoch, e.session.Base, e.firstSeq, shifted)
	case effSend:
		if e.recs != nil {
			return fmt.Sprintf("send %d/%d %s", e.gen, e.id, strings.Join(texts(e.recs), " "))
		}
		return fmt.Sprintf("send %d/%d %s", e.gen, e.id, strings.ReplaceAll(strings.TrimSpace(string(e.data)), "\n", "; "))
	case effClose:
		return fmt.Sprintf("close %d graceful=%t", e.gen, e.graceful)
	case effRelease:
		return fmt.Sprintf("release %d %v", e.seq, e.origins)
	case effQuarantine:
		return fmt.Sprintf("quarantine %d %s %s: %v", e.seq, e.reason, texts(e.recs)[0], e.err)
	case effReset:
		return fmt.Sprintf("reset: %v", e.err)
	}
	return "?"
}
