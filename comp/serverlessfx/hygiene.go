package serverlessfx

import (
	"context"
	"log/slog"
	"sync"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// flushed sends out what the agent holds before the snapshot is taken, so that
// no clone finds it in its memory.
type flushed struct {
	flushers []lifecycle.Flusher
	log      *slog.Logger
}

// BeforeSnapshot implements lifecycle.Hygiene.
func (f flushed) BeforeSnapshot(ctx context.Context) {
	var wg sync.WaitGroup
	for _, flusher := range f.flushers {
		wg.Go(func() {
			if err := flusher.Flush(ctx); err != nil {
				f.log.Warn("clones of this machine may send data again", "of", flusher.Name(), "err", err)
			}
		})
	}
	wg.Wait()
}

// AfterRestore implements lifecycle.Hygiene.
func (flushed) AfterRestore() {}
