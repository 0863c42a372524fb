package stream

import (
	"fmt"

	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/record"
)

// Columns is the profile of this project, for receiving sides that announce it.
func Columns(o columns.Options) Codec { return columnsCodec{o} }

type columnsCodec struct{ options columns.Options }

func (c columnsCodec) Profile() string { return ProfileColumns }

// ContentEncoding is identity: compression is part of the format.
func (c columnsCodec) ContentEncoding() string { return "identity" }

func (c columnsCodec) NewState(l Limits) (Encoder, Ledger, error) {
	o := c.options
	if l.DataBytes > 0 && (o.MaxDataBytes == 0 || l.DataBytes < o.MaxDataBytes) {
		o.MaxDataBytes = l.DataBytes
	}
	o.MaxStateBytes = halve(o.MaxStateBytes, columns.DefaultMaxStateBytes, l.Halvings)
	enc, err := columns.NewEncoder(o)
	if err != nil {
		return nil, nil, fmt.Errorf("columns: %w", err)
	}
	return &columnsEncoder{Encoder: enc}, nil, nil
}

type columnsEncoder struct {
	*columns.Encoder

	scratch []byte
}

func (e *columnsEncoder) Encode(recs []record.Record) (Payload, error) {
	data, s, err := e.Encoder.Encode(e.scratch[:0], recs)
	if err != nil {
		return Payload{}, err
	}
	// A sender may hold the message for long, so it gets no more than it needs.
	e.scratch = data
	return Payload{Data: append(make([]byte, 0, len(data)), data...), Lines: s.Lines, RawBytes: s.RawBytes, EncodedBytes: s.CodedBytes + s.TextBytes}, nil
}
