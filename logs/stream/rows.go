package stream

import (
	"fmt"

	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/record"
)

// minStateBytes is the least budget of state that halving leads to: below it, the
// templates of a handful of sources do not fit and the profile has no use.
const minStateBytes = 64 << 10

// Rows is the profile of the public schema.
func Rows(o rows.Options) Codec { return rowsCodec{o} }

type rowsCodec struct{ options rows.Options }

func (c rowsCodec) Profile() string         { return ProfileRows }
func (c rowsCodec) ContentEncoding() string { return c.options.Compression.Encoding() }

func (c rowsCodec) NewState(l Limits) (Encoder, Ledger, error) {
	o := c.options
	if l.DataBytes > 0 && (o.MaxDataBytes == 0 || l.DataBytes < o.MaxDataBytes) {
		o.MaxDataBytes = l.DataBytes
	}
	if l.Halvings > 0 {
		o.MaxPatternBytes = halve(o.MaxPatternBytes, rows.DefaultMaxPatternBytes, l.Halvings)
		o.MaxDictBytes = halve(o.MaxDictBytes, rows.DefaultMaxDictBytes, l.Halvings)
	}
	if budget := o.MaxDataBytes - o.MaxDataBytes/16; o.MaxDataBytes > 0 && o.MaxPatternBytes+o.MaxDictBytes > budget {
		// A snapshot has to fit into a message too: let rows divide what is left.
		o.MaxPatternBytes, o.MaxDictBytes = 0, 0
	}
	enc, err := rows.NewEncoder(o)
	if err != nil {
		return nil, nil, fmt.Errorf("rows: %w", err)
	}
	return rowsEncoder{enc}, rowsLedger{rows.NewLedger(o)}, nil
}

// halve is n, or def when n is 0, halved as often as asked.
func halve(n, def, times int) int {
	if n == 0 {
		n = def
	}
	for ; times > 0 && n/2 >= minStateBytes; times-- {
		n /= 2
	}
	return n
}

type rowsEncoder struct{ *rows.Encoder }

func (e rowsEncoder) Encode(recs []record.Record) (Payload, error) {
	p, err := e.Encoder.Encode(recs)
	if err != nil {
		return Payload{}, err
	}
	return Payload{Data: p.Data, Lines: p.Lines, RawBytes: p.RawBytes, EncodedBytes: p.EncodedBytes, Changes: p.Changes}, nil
}

type rowsLedger struct{ *rows.Ledger }

func (l rowsLedger) Apply(changes any) {
	if c, ok := changes.(rows.Changes); ok {
		l.Ledger.Apply(c)
	}
}
