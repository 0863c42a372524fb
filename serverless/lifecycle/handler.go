package lifecycle

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/vigil-agent/vigil/serverless/forward"
)

// call is one hook in progress.
type call struct {
	hook    Hook
	request forward.Request
	body    []byte
	shares  shares
	spend   *spend
}

// answer is what the platform gets.
type answer struct {
	forward.Response
	err error // why the application could not answer
}

func plain(status int, text string) answer {
	a := answer{Response: forward.Response{Status: status, Body: []byte(text)}}
	if text != "" {
		a.ContentType = "text/plain; charset=utf-8"
	}
	return a
}

// ServeHTTP answers a hook. Only an exact path, the method POST and a complete
// body can change anything.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hook, ok := Route(r.URL.EscapedPath())
	if !ok {
		http.Error(w, "no such hook", http.StatusNotFound)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "hooks are called with POST", http.StatusMethodNotAllowed)
		return
	}
	spend := newSpend(time.Now())
	body, done, err := s.readBody(w, r)
	if err != nil {
		s.log.Warn("hook refused: its body could not be read", "hook", hook.String(), "err", err)
		http.Error(w, "the body could not be read completely, or is larger than 1 MiB", http.StatusInternalServerError)
		return
	}
	defer done()
	spend.mark("body")
	s.seen[hook].Add(1)
	c := &call{
		hook:    hook,
		request: forward.Request{Target: r.URL.RequestURI(), Header: r.Header, Body: body},
		body:    body,
		shares:  s.shares(hook),
		spend:   spend,
	}
	// The budget starts when the body is read: the platform's own slowness is not
	// charged to it. An error only says that w is no connection.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(c.shares.total + answerHeadroom))
	// The platform hanging up must not cut the flush short.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), c.shares.work)
	defer cancel()
	a := s.work(ctx, c)
	record := c.spend.close(c.shares.total)
	writeErr := write(w, a, record)
	// The answer leaves before anything is logged: the log may be slow.
	if err := http.NewResponseController(w).Flush(); writeErr == nil {
		writeErr = err
	}
	s.report(c, a, record, writeErr)
}

// shares divides the time of h.
func (s *Server) shares(h Hook) shares {
	switch {
	case h == Ready && s.forwards(h):
		all := apportion(s.cfg.ReadyTimeout, s.cfg.ReadyTimeout, false)
		if len(s.hygiene) > 0 {
			all.forward -= min(snapshotReserve, all.drain)
		}
		return all
	case h == Validate && s.forwards(h):
		return apportion(s.cfg.ValidateTimeout, s.cfg.ValidateTimeout, false)
	default:
		return apportion(s.cfg.Budget, s.cfg.ForwardTimeout, h.flushes())
	}
}

func (s *Server) forwards(h Hook) bool { return s.deps.App != nil && s.cfg.Forward[h] }

// work does everything about a hook but the answer, in the order of
// specification section 2.4. The flush comes after the application's part: what
// the application logs in its hook must leave with it, since a suspended machine
// may be discarded.
func (s *Server) work(ctx context.Context, c *call) answer {
	if c.hook == Run && s.deps.SignalRun != nil && !s.forwards(Run) && s.Phase() != Terminated {
		if err := s.deps.SignalRun(); err != nil {
			s.log.Warn("the run signal did not reach the application", "err", err)
		}
	}
	out := s.transition(ctx, c)
	c.spend.mark("state")
	if c.hook.flushes() {
		within(ctx, c.shares.stop, func(ctx context.Context) { _ = out.drain.Wait(ctx) }) // it warns itself
		c.spend.mark("stop")
	}
	event := func(context.Context) error { return nil }
	if out.event {
		event = s.events.begin(ctx, c.hook, out.id, out.over)
	}
	a := s.respond(ctx, c)
	c.spend.mark("app")
	within(ctx, c.shares.stop, func(ctx context.Context) {
		if err := event(ctx); err != nil {
			s.log.Warn("event metric not confirmed", "hook", c.hook.String(), "err", err)
		}
	})
	c.spend.mark("event")
	if c.hook.flushes() {
		s.flush(ctx, c)
	}
	if c.hook == Ready && a.Status == http.StatusOK && len(s.hygiene) > 0 {
		s.prepare(ctx)
		c.spend.mark("hygiene")
	}
	if c.hook.flushes() {
		s.settle(ctx, c, out.epoch, a.Status == http.StatusOK)
	}
	return a
}

func (s *Server) flush(ctx context.Context, c *call) {
	if len(s.drainers) > 0 {
		within(ctx, c.shares.drain, func(ctx context.Context) { s.drainers.work(ctx, s.log, "drain") })
		c.spend.mark("drain")
	}
	s.flushers.work(ctx, s.log, "flush")
	c.spend.mark("flush")
}

// prepare has every part of the agent get ready for the snapshot.
func (s *Server) prepare(ctx context.Context) {
	s.mu.Lock()
	s.prepared = true
	s.mu.Unlock()
	if err := s.hygiene.each(ctx, Hygiene.BeforeSnapshot); err != nil {
		s.log.Warn("a part of the agent is not prepared for the snapshot", "err", err)
	}
}

func within(ctx context.Context, d time.Duration, f func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	f(ctx)
}

// respond makes the answer: the application's, if the hook is forwarded.
func (s *Server) respond(ctx context.Context, c *call) answer {
	if !s.forwards(c.hook) {
		if c.hook == Ready && (s.deps.Alive == nil || !s.deps.Alive()) {
			return plain(http.StatusServiceUnavailable, "the application is not running\n")
		}
		return plain(http.StatusOK, "")
	}
	ctx, cancel := context.WithTimeout(ctx, c.shares.forward)
	defer cancel()
	if c.hook.build() {
		if err := s.deps.App.Probe(ctx); err != nil {
			return failed(c.hook, err)
		}
	}
	resp, err := s.deps.App.Do(ctx, c.request)
	if err != nil {
		return failed(c.hook, err)
	}
	return answer{Response: resp}
}

func failed(h Hook, err error) answer {
	a := plain(forward.Status(err, h.build()), err.Error()+"\n")
	a.err = err
	return a
}

// write sends the answer with nothing added but the record of the time spent.
func write(w http.ResponseWriter, a answer, record string) error {
	h := w.Header()
	h.Set(SpendHeader, record)
	h["Content-Type"] = nil // no sniffing
	if a.ContentType != "" {
		h.Set("Content-Type", a.ContentType)
	}
	if a.ContentEncoding != "" {
		h.Set("Content-Encoding", a.ContentEncoding)
	}
	if a.Status == http.StatusNoContent || a.Status == http.StatusNotModified {
		w.WriteHeader(a.Status)
		return nil
	}
	h.Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	_, err := w.Write(a.Body)
	return err
}

func (s *Server) report(c *call, a answer, record string, writeErr error) {
	attrs := []any{
		"hook", c.hook.String(), "status", a.Status, "forwarded", s.forwards(c.hook),
		"phase", s.Phase().String(), "microvm_id", s.ID(), "spend", record,
	}
	if a.err != nil {
		attrs = append(attrs, "app_err", a.err)
	}
	if a.Truncated {
		attrs = append(attrs, "truncated", true)
	}
	if writeErr != nil {
		attrs = append(attrs, "write_err", writeErr)
	}
	s.log.Info("hook answered", attrs...)
}
