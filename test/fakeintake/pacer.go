package fakeintake

import (
	"sync"
	"time"
)

// pacer spreads bytes over time.
type pacer struct {
	mu   sync.Mutex
	rate int       // bytes per second; 0 is no bound
	next time.Time // when what was taken so far has passed
}

func (p *pacer) limit(rate int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate, p.next = rate, time.Time{}
}

// take reserves n bytes and says how long to wait before they pass.
func (p *pacer) take(n int) (pause time.Duration, bounded bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rate == 0 {
		return 0, false
	}
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	pause = p.next.Sub(now)
	p.next = p.next.Add(time.Duration(n) * time.Second / time.Duration(p.rate))
	return pause, true
}
