package metrics

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// deliver sends what is queued. A patient call, the owner's, gives up at the
// first failure that a later try may mend. An urgent one, a flush, tries again
// until ctx ends, and waits for what another call has in flight. It returns the
// failure that it gave up at, or else the last refusal.
func (d *Datadog) deliver(ctx context.Context, urgent bool) error {
	var refusal error
	for tries := 0; ; {
		if ready, err := d.whenDue(ctx, urgent); !ready {
			return err
		}
		p, ok := d.queue.take(time.Now())
		if !ok {
			changed, busy := d.queue.busy()
			if !urgent || !busy {
				return refusal
			}
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return fmt.Errorf("a request is still on its way: %w", context.Cause(ctx))
			}
		}
		what, err := d.send(ctx, p)
		switch {
		case what == refused || what == keyRefused:
			refusal = err
		case what != again:
		case !urgent:
			return err
		default:
			if !sleep(ctx, jitter(tries)) {
				return err
			}
			tries++
		}
	}
}

// whenDue says whether a try may be made now; only an urgent call waits for that.
func (d *Datadog) whenDue(ctx context.Context, urgent bool) (ready bool, err error) {
	patient, asked := d.pace.waits(time.Now())
	switch {
	case d.queue.empty():
		return true, nil
	case !urgent:
		return patient == 0, nil
	case asked > 0 && !sleep(ctx, asked):
		return false, fmt.Errorf("the API asked not to be tried again for %s", asked.Round(time.Millisecond))
	}
	return true, nil
}

// sleep says whether the time passed before ctx ended; it does not begin what
// it cannot end.
func sleep(ctx context.Context, wait time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= wait {
		return false
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// send tries one payload and settles it: delivered, dropped, or back in the
// queue. The error says what the API answered, or why it did not.
func (d *Datadog) send(ctx context.Context, p taken) (verdict, error) {
	body, err := p.Body()
	if err != nil {
		d.ledger.drop(dropOversize, p.Samples)
		d.queue.done(p)
		return refused, err
	}
	if len(body) > p.Endpoint.MaxBody {
		return d.split(p, fmt.Errorf("a request of %d bytes is too large", len(body)))
	}
	a, err := d.client.post(ctx, p.Endpoint, body)
	now := time.Now()
	if err != nil {
		d.ledger.errors.Add(1)
		d.pace.failed(now, 0)
		d.queue.done(p, p.Payload)
		return again, err
	}
	what := judge(a.status)
	if what == delivered {
		d.ledger.sent.Add(uint64(p.Samples))
		d.accepted()
		d.queue.done(p)
		return what, nil
	}
	d.ledger.errors.Add(1)
	err = fmt.Errorf("%s answered %d %s: %s", p.Endpoint.Path, a.status, http.StatusText(a.status), a.text)
	switch what {
	case again:
		d.pace.failed(now, asked(a.header, now))
		d.queue.done(p, p.Payload)
	case tooLarge:
		return d.split(p, err)
	default:
		why := dropRefused
		if what == keyRefused {
			why = dropKey
		}
		d.ledger.drop(why, p.Samples)
		d.turnedDown(err, what == keyRefused)
		d.queue.done(p)
	}
	return what, err
}

// split puts the halves back, or drops what cannot be split.
func (d *Datadog) split(p taken, err error) (verdict, error) {
	first, second, ok := p.Halves()
	if ok {
		d.queue.done(p, first, second)
		return tooLarge, nil
	}
	d.ledger.drop(dropRefused, p.Samples)
	d.turnedDown(err, false)
	d.queue.done(p)
	return refused, err
}
