package series

// Payload is what one request carries: rows that are encoded, not compressed.
type Payload struct {
	Endpoint Endpoint
	// Oldest is the earliest bucket in it, in Unix seconds.
	Oldest int64
	// Samples is how many emitted values it stands for.
	Samples int
	// Size is the length of the body without compression, in bytes.
	Size int

	rows []row
}

type row struct {
	json    []byte
	time    int64
	samples int
}

// The body around the rows.
const (
	head = `{"series":[`
	tail = `]}`
)

// Payloads encodes points as payloads within the uncompressed limits of their
// endpoints, and says how many samples were in points that are too large for
// any payload.
func Payloads(points []Point) (payloads []Payload, oversize int) {
	var series, distributions []row
	for _, p := range points {
		encoded, err := p.row()
		limit := Series.MaxRaw
		if p.Kind == Distribution {
			limit = Distributions.MaxRaw
		}
		if err != nil || len(head)+len(encoded)+len(tail) > limit {
			oversize += p.Samples
			continue
		}
		r := row{json: encoded, time: p.Time, samples: p.Samples}
		if p.Kind == Distribution {
			distributions = append(distributions, r)
		} else {
			series = append(series, r)
		}
	}
	return append(pack(Series, series), pack(Distributions, distributions)...), oversize
}

// pack fills payloads with rows, in order.
func pack(e Endpoint, rows []row) []Payload {
	var payloads []Payload
	for len(rows) > 0 {
		size, n := len(head)+len(tail), 0
		for n < len(rows) && size+len(rows[n].json)+1 <= e.MaxRaw+1 { // the last has no comma
			size += len(rows[n].json) + 1
			n++
		}
		payloads = append(payloads, newPayload(e, rows[:n]))
		rows = rows[n:]
	}
	return payloads
}

func newPayload(e Endpoint, rows []row) Payload {
	p := Payload{Endpoint: e, rows: rows, Oldest: rows[0].time, Size: len(head) + len(rows) - 1 + len(tail)}
	for _, r := range rows {
		p.Oldest = min(p.Oldest, r.time)
		p.Samples += r.samples
		p.Size += len(r.json)
	}
	return p
}

// Halves splits a payload that is too large for the receiving side; ok is false
// for one that cannot be split.
func (p Payload) Halves() (first, second Payload, ok bool) {
	if len(p.rows) < 2 {
		return p, Payload{}, false
	}
	middle := len(p.rows) / 2
	return newPayload(p.Endpoint, p.rows[:middle]), newPayload(p.Endpoint, p.rows[middle:]), true
}

// Raw is the body without compression.
func (p Payload) Raw() []byte {
	body := append(make([]byte, 0, p.Size), head...)
	for i, r := range p.rows {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, r.json...)
	}
	return append(body, tail...)
}
