package rows

import (
	"errors"

	"github.com/vigil-agent/vigil/logs/record"
)

// Line is one decoded log.
type Line struct {
	// Record has Time, Status, Tags and Message. Message is valid until the next
	// line; Origin is zero.
	record.Record
	// WireBytes is this line's share of the batch's compressed bytes, in
	// proportion to its encoded size. State changes count for the line after
	// them, or the last line. The shares of a batch sum to its size.
	WireBytes float64
}

// Decoder holds the state of one stream. It is not safe for concurrent use.
type Decoder struct {
	limits Limits
	data   *decompressor

	// Stream state.
	patterns map[uint64]*template
	dict     map[uint64]string
	state    int

	batch batch
	msg   []byte
}

// batch is a batch while it is read: where reading is, what logs may leave out,
// and what was read so far.
type batch struct {
	id    uint32
	datum int
	plain []byte

	lastTime    int64
	lastPattern uint64
	lastTags    string

	logs     []parsedLog
	values   []value
	objects  []object
	rendered int
}

// parsedLog is a log that can be rendered without the stream's state, which later
// datums of its batch may change.
type parsedLog struct {
	time   int64
	tags   string
	status string
	text   []byte    // raw: the message
	tmpl   *template // structured
	values span      // of batch.values
	object int32     // of batch.objects plus 1; 0 when the message is text
	end    int       // of its datum in the batch
}

// span is a range of a slice.
type span struct{ from, to int }

// NewDecoder is the decoder of a stream that announced encoding in its
// dd-content-encoding header: "", "identity", "gzip" or "zstd". Anything else is
// ErrUnknownEncoding.
func NewDecoder(encoding string, l Limits) (*Decoder, error) {
	l = l.withDefaults()
	data, err := newDecompressor(encoding, l.MaxDecompressed)
	if err != nil {
		return nil, err
	}
	return &Decoder{limits: l, data: data, patterns: map[uint64]*template{}, dict: map[uint64]string{}}, nil
}

// StateBytes is the exact size of the stream's state: for each pattern the bytes
// of its template and 4 for each position, for each dictionary entry the bytes of
// its string, and EntryBytes for each of both.
func (d *Decoder) StateBytes() int { return d.state }

// Decode reads one StatefulBatch.data against the stream's state and then calls
// yield for each log in order: a batch that breaks the protocol yields nothing.
// Batch 0 is a snapshot, which holds no logs. Errors match ErrProtocol or
// ErrLimit, or are yield's own. After an error the stream is over, because its
// state is undefined.
func (d *Decoder) Decode(batchID uint32, data []byte, yield func(Line) error) error {
	d.batch.reset(batchID)
	plain, err := d.data.decompress(data)
	if errors.Is(err, errTooMuch) {
		return d.limit("MaxDecompressed", d.limits.MaxDecompressed)
	}
	if err != nil {
		return d.wrong(err.Error())
	}
	d.batch.plain = plain
	if err := d.readSequence(plain); err != nil {
		return err
	}
	return d.yieldAll(len(data), yield)
}

func (b *batch) reset(id uint32) {
	if cap(b.logs)*128+cap(b.values)*64 > keepBytes {
		*b = batch{}
	}
	clear(b.logs)
	clear(b.values)
	clear(b.objects)
	*b = batch{id: id, datum: -1, logs: b.logs[:0], values: b.values[:0], objects: b.objects[:0]}
}

// yieldAll renders the logs of the batch.
func (d *Decoder) yieldAll(size int, yield func(Line) error) error {
	b := &d.batch
	defer d.data.trim(keepBytes)
	perByte := float64(size) / float64(max(len(b.plain), 1))
	charged := 0
	for i := range b.logs {
		l := &b.logs[i]
		if i == len(b.logs)-1 {
			l.end = len(b.plain)
		}
		line := Line{
			Record:    record.Record{Time: l.time, Status: l.status, Tags: l.tags, Message: d.message(l)},
			WireBytes: float64(l.end-charged) * perByte,
		}
		charged = l.end
		if err := yield(line); err != nil {
			return err
		}
	}
	return nil
}

// message renders a log.
func (d *Decoder) message(l *parsedLog) []byte {
	switch {
	case l.object != 0:
		d.msg = d.batch.appendObject(d.msg[:0], l)
	case l.tmpl != nil:
		d.msg = d.batch.appendBody(d.msg[:0], l)
	default:
		return l.text
	}
	return d.msg
}

// wrong is the error for what the datum at hand did wrong.
func (d *Decoder) wrong(what string) error { return d.wrongID(what, 0) }

func (d *Decoder) wrongID(what string, id uint64) error {
	return &ProtocolError{BatchID: d.batch.id, Datum: d.batch.datum, ID: id, What: what}
}

func (d *Decoder) limit(name string, limit int) error {
	return &LimitError{BatchID: d.batch.id, Limit: name, Max: limit}
}
