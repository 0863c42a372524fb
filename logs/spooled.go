package logs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vigil-agent/vigil/logs/quarantine"
	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/registry"
	"github.com/vigil-agent/vigil/logs/spool"
	"github.com/vigil-agent/vigil/logs/stream"
)

// retrySpool is the wait after the disk failed to give a batch back.
const retrySpool = time.Second

// lookSpool is how often the first stream is looked for at the end.
const lookSpool = 20 * time.Millisecond

// snapshotKey remembers up to which number batches are of the time before a
// snapshot, see spooled.leaveBehind.
const snapshotKey = "spool.snapshot"

// spooled is the spool and the pump that empties it into the shipper. A line's
// offset is released when the line is in the spool, and the spool keeps it until the
// receiving side acknowledged its batch.
type spooled struct {
	queue    *spool.Spool
	registry *registry.Registry
	log      *slog.Logger
	shipper  shipper // nil before start
	cancel   context.CancelFunc
	pumping  sync.WaitGroup
	left     uint64 // batches up to here lack what the application printed
	// sources have a place in the registry's file; put owns it.
	sources map[string]bool
	// committed is the last batch whose offsets are released, and saved the last
	// one whose offsets are on disk, which ack owns.
	committed atomic.Uint64
	saved     uint64

	// mu guards what follows.
	mu      sync.Mutex
	acked   uint64
	changed chan struct{} // closed and replaced when acked grows
	failure string        // why a batch cannot be read or acknowledged; empty while all is well
}

func openSpool(c Config, r *registry.Registry, log *slog.Logger) (*spooled, error) {
	queue, err := spool.Open(spool.Config{
		Dir: filepath.Join(c.RunPath, spoolDir), MaxBytes: int64(c.Spool.MaxSize),
		Sync: spool.Sync(c.Spool.Fsync), Full: spool.Full(c.Spool.WhenFull),
	}, spool.Deps{Log: log})
	if err != nil {
		return nil, err
	}
	s := &spooled{queue: queue, registry: r, log: log, cancel: func() {}, changed: make(chan struct{}), acked: queue.Stats().Acked, sources: map[string]bool{}}
	s.left, _ = strconv.ParseUint(r.Recall(snapshotKey), 10, 64) // nothing was left: 0
	return s, nil
}

// number lets the shipper number batches as the spool does, and acknowledge them to
// it.
func (s *spooled) number(deps *stream.Deps) {
	deps.FirstSeq, deps.Queue, deps.NewSession = s.acked+1, spoolDir, s.queue.NeedsNewSession()
	deps.OnDurable = s.ack
}

// resume releases the offsets of what is in the spool: a process that died may not
// have saved them, and the lines would be read again under other numbers.
func (s *spooled) resume(ctx context.Context) {
	defer s.queue.Rewind()
	var b spool.Batch
	for seq, next := s.acked+1, s.queue.Stats().Next; seq < next; seq = b.Seq + 1 {
		if err := s.queue.Next(ctx, &b); err != nil {
			s.log.Error("the spool cannot be read to its end; lines in it may be sent twice", "error", err)
			return
		}
		s.registry.Begin(b.Records)
		s.registry.CommitThrough(record.LastOrigins(b.Records)...)
	}
}

// ack lets the spool forget what is durable, once its offsets are on disk: until
// then they can be found in the spool alone.
func (s *spooled) ack(seq uint64, origins []record.Origin) {
	s.registry.CommitThrough(origins...) // put may not have come to that yet
	var err error
	if seq > s.saved {
		upto := max(seq, s.committed.Load())
		if err = s.registry.Flush(context.Background()); err == nil {
			s.saved = upto
		}
	}
	if err == nil {
		err = s.queue.Ack(seq)
	}
	s.note(err)
	if err != nil {
		s.log.Error("the spool cannot note what is acknowledged, which a restart would send again", "error", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if seq > s.acked {
		s.acked = seq
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// note keeps err for the status, nil for an end of the failure.
func (s *spooled) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = ""
	if err != nil {
		s.failure = err.Error()
	}
}

// start begins to empty the spool.
func (s *spooled) start(to shipper) {
	ctx, cancel := context.WithCancel(context.Background())
	s.shipper, s.cancel = to, cancel
	s.pumping.Go(func() { s.pump(ctx) })
}

// pump hands batches on until ctx ends or the shipper takes no more.
func (s *spooled) pump(ctx context.Context) {
	var b spool.Batch
	for {
		err := s.queue.Next(ctx, &b)
		switch {
		case ctx.Err() != nil, errors.Is(err, spool.ErrClosed):
			return
		case err != nil:
			s.note(err)
			s.log.Error("the spool does not give a batch back; tried again", "error", err)
			select {
			case <-time.After(retrySpool):
			case <-ctx.Done():
			}
			continue
		}
		lines := b.Records
		if b.Seq <= s.left {
			lines = slices.DeleteFunc(lines, printed)
		}
		if err := s.shipper.AppendSeq(ctx, b.Seq, lines); err != nil {
			return
		}
	}
}

// printed says that a line was printed by the application: there is no place to
// read it from again.
func printed(r record.Record) bool { return r.Origin == (record.Origin{}) }

// put keeps lines and releases their offsets. Lines that are larger than the spool
// go to quarantine.
func (s *spooled) put(ctx context.Context, lines []record.Record, aside *quarantine.Writer) error {
	s.introduce(lines)
	seq, err := s.queue.Append(ctx, lines)
	switch {
	case errors.Is(err, spool.ErrDropped): // counted by the spool, as its policy says
	case errors.Is(err, spool.ErrTooLarge) && len(lines) > 1:
		half := len(lines) / 2
		if err := s.put(ctx, lines[:half], aside); err != nil {
			return err
		}
		return s.put(ctx, lines[half:], aside)
	case errors.Is(err, spool.ErrTooLarge):
		if err := aside.Put(lines[0], "spool", err); err != nil {
			return err
		}
	case err != nil:
		return err
	}
	s.registry.CommitThrough(record.LastOrigins(lines)...)
	if err == nil {
		s.committed.Store(seq)
	}
	return nil
}

// introduce saves the place of sources that are new: offsets can only be resumed for
// those that the registry knows.
func (s *spooled) introduce(lines []record.Record) {
	fresh := false
	last := ""
	for i := range lines {
		if source := lines[i].Origin.Source; source != last {
			last = source
			fresh = fresh || !s.sources[source]
			s.sources[source] = true
		}
	}
	if !fresh {
		return
	}
	if err := s.registry.Flush(context.Background()); err != nil {
		s.log.Error("the place of new files cannot be saved; a crash would send their lines twice", "error", err)
	}
}

// flush returns when everything in the spool is acknowledged.
func (s *spooled) flush(ctx context.Context) error {
	last := s.queue.Stats().Next - 1
	for {
		s.mu.Lock()
		acked, changed := s.acked, s.changed
		s.mu.Unlock()
		if acked >= last {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("%d batches wait in the spool for their acknowledgement: %w", last-acked, ctx.Err())
		}
	}
}

// stop lets the shipper send what is in the spool, for as long as ctx and a
// receiving side that answers allow; the rest stays where it is.
func (s *spooled) stop(ctx context.Context) error {
	if s.shipper != nil {
		watching, cancel := context.WithCancel(ctx)
		var connecting sync.WaitGroup
		connecting.Go(func() {
			if !s.connects(watching) {
				cancel()
			}
		})
		defer func() {
			cancel()
			connecting.Wait()
		}()
		if err := s.flush(watching); err != nil {
			s.log.Info("lines stay in the spool until the next start", "lines", s.queue.Stats().Pending.Lines)
		}
		s.cancel()
		s.pumping.Wait()
		var unacked *stream.UnackedError
		if err := s.shipper.Stop(watching); err != nil && !errors.As(err, &unacked) {
			return errors.Join(err, s.queue.Close())
		}
	}
	return s.queue.Close()
}

// connects says whether there is a stream, and waits for one that never failed: the
// process may have begun just now.
func (s *spooled) connects(ctx context.Context) bool {
	look := time.NewTicker(lookSpool)
	defer look.Stop()
	for {
		switch now := s.shipper.Stats(); {
		case now.State == stream.StateActive || now.State == stream.StateDraining:
			return true
		case now.StreamErrors > 0:
			return false
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return false
		}
	}
}

// leaveBehind takes what the application printed before a snapshot out of the
// batches in the spool: each clone would send it.
func (s *spooled) leaveBehind() error {
	return s.registry.Remember(snapshotKey, strconv.FormatUint(s.queue.Stats().Next-1, 10))
}

// SpoolStatus is the state of the queue on disk.
type SpoolStatus struct {
	spool.Stats
	// Dir is where it is.
	Dir string `json:"dir"`
	// Failure is why a batch cannot be read or acknowledged.
	Failure string `json:"failure,omitempty"`
}

func (s *spooled) status(c Config) *SpoolStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &SpoolStatus{Stats: s.queue.Stats(), Dir: filepath.Join(c.RunPath, spoolDir), Failure: s.failure}
}
