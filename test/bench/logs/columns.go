package main

import (
	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/record"
)

// columnsCodec is the negotiated profile.
type columnsCodec struct {
	enc *columns.Encoder
	dec *columns.Decoder
}

func openColumns() (codec, error) {
	enc, err := columns.NewEncoder(columns.Options{})
	return &columnsCodec{enc: enc, dec: columns.NewDecoder(columns.Limits{})}, err
}

func (c *columnsCodec) encode(dst []byte, recs []record.Record) ([]byte, error) {
	data, _, err := c.enc.Encode(dst, recs)
	return data, err
}

func (c *columnsCodec) decode(data []byte, want []record.Record) (int, error) {
	m := matcher{want: want}
	err := c.dec.Decode(data, func(l columns.Line) error {
		return m.match(l.Time, l.Status, l.Tags, l.Message)
	})
	if err == nil {
		err = m.done()
	}
	return m.replaced, err
}

func (c *columnsCodec) state() int { return c.enc.Stats().StateBytes }
