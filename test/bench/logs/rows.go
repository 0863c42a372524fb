package main

import (
	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/record"
)

// rowsCodec is the profile of the public schema.
type rowsCodec struct {
	enc   *rows.Encoder
	dec   *rows.Decoder
	batch uint32
}

func openRows() (codec, error) {
	enc, err := rows.NewEncoder(rows.Options{})
	if err != nil {
		return nil, err
	}
	dec, err := rows.NewDecoder(rows.Zstd.Encoding(), rows.Limits{})
	return &rowsCodec{enc: enc, dec: dec}, err
}

func (c *rowsCodec) encode(dst []byte, recs []record.Record) ([]byte, error) {
	p, err := c.enc.Encode(recs)
	return append(dst, p.Data...), err
}

func (c *rowsCodec) decode(data []byte, want []record.Record) (int, error) {
	c.batch++
	m := matcher{want: want, lossy: true}
	err := c.dec.Decode(c.batch, data, func(l rows.Line) error {
		return m.match(l.Time, l.Status, l.Tags, l.Message)
	})
	if err == nil {
		err = m.done()
	}
	return m.replaced, err
}

func (c *rowsCodec) state() int { return c.enc.Stats().StateBytes }
