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

// state includes the window of text, up to what has been sent of it.
func (c *columnsCodec) state() int {
	s := c.enc.Stats()
	return s.StateBytes + int(min(s.TextBytes, columns.WindowBytes))
}
