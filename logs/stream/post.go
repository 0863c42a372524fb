package stream

import "time"

// post serves a link of the lowest rung: each batch is one call of the fallback,
// whose success is its acknowledgement.
func (l *link) post() error {
	if _, err := l.begin(event{kind: evOpened, gen: l.gen}); err != nil {
		return err
	}
	for {
		item, more := l.out.next(l.ctx)
		if !more {
			return l.ctx.Err()
		}
		if item.halfClose {
			return nil
		}
		if len(item.recs) > 0 {
			from := time.Now()
			err := l.w.deps.Fallback.Send(l.ctx, item.recs)
			l.w.blocked.Add(int64(time.Since(from)))
			if err != nil {
				return err
			}
		}
		l.w.events <- event{kind: evAck, gen: l.gen, id: item.id, ok: true}
	}
}
