package stream

import (
	"fmt"

	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/record"
)

// Rows is the codec of the public schema.
func Rows(o rows.Options) Codec { return rowsCodec{o} }

type rowsCodec struct{ options rows.Options }

func (c rowsCodec) ContentEncoding() string { return c.options.Compression.Encoding() }

func (c rowsCodec) NewEncoder() (Encoder, error) {
	enc, err := rows.NewEncoder(c.options)
	if err != nil {
		return nil, fmt.Errorf("rows: %w", err)
	}
	return rowsEncoder{enc}, nil
}

func (c rowsCodec) NewLedger() Ledger { return rowsLedger{rows.NewLedger(c.options)} }

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
