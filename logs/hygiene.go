package logs

import (
	"context"
	"errors"
	"time"
)

// quietTime bounds a pause, for an image that is never restored. The platform takes
// the snapshot as soon as it may, and a snapshot uses no execution time up.
const quietTime = time.Minute

// pause is the time between the preparation of a snapshot and the restore. All
// clones of a machine begin with what it holds then: memory, run path and all.
type pause struct {
	on    bool
	timer *time.Timer
}

func (p *pause) begin(over func()) {
	p.end()
	p.on, p.timer = true, time.AfterFunc(quietTime, over)
}

func (p *pause) end() {
	p.on = false
	if p.timer != nil {
		p.timer.Stop()
	}
}

// BeforeSnapshot sends everything out within ctx and stops: the connection is
// closed and the offsets are saved. What the application printed and could not be
// sent is dropped, since every clone would send it; lines of files are read again.
// Nothing is followed until AfterRestore, or until the machine has executed for a
// minute without one.
func (e *Engine) BeforeSnapshot(ctx context.Context) {
	e.changing.Lock()
	defer e.changing.Unlock()
	p := e.running()
	if p == nil {
		return
	}
	if err := errors.Join(p.stopReading(ctx), p.batcher.Flush(ctx)); err != nil {
		e.log.Debug("not all lines were handed on before the snapshot", "error", err)
	}
	p.leave = true
	if err := e.halt(ctx); err != nil {
		e.log.Warn("a snapshot is taken before everything was sent; files are read again", "error", err)
	}
	e.paused.Store(true)
	e.pause.begin(func() {
		e.changing.Lock()
		defer e.changing.Unlock()
		if e.pause.on {
			e.resume()
		}
	})
}

// AfterRestore goes on in a session of its own on a new connection. It may be called
// without a restore.
func (e *Engine) AfterRestore() {
	e.changing.Lock()
	defer e.changing.Unlock()
	if !e.pause.on {
		if p := e.running(); p != nil {
			p.renew(e)
		}
		return
	}
	e.resume()
}

// resume ends a pause; the caller holds changing.
func (e *Engine) resume() {
	e.endPause()
	if err := e.start(context.Background()); err != nil {
		e.log.Error("logs are not followed after the restore", "error", err)
	}
}

// renew begins new sessions without stopping: lines that wait are kept.
func (p *parts) renew(e *Engine) {
	if err := (memory{p.registry}).forgetSession(); err != nil {
		e.log.Warn("the session of the snapshot is not forgotten; after a crash the receiving side may take lines of this machine for those of another", "error", err)
	}
	p.shipper.Renew()
	if p.secondary != nil {
		p.secondary.Renew()
	}
}

func (e *Engine) endPause() {
	e.pause.end()
	e.paused.Store(false)
}
