package fakeintake

import (
	"bytes"

	"github.com/DataDog/agent-payload/v5/statefulpb"
	"google.golang.org/grpc/metadata"

	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/record"
)

// reader decodes the batches of one stream.
type reader struct {
	decode func(batch *statefulpb.StatefulBatch, keep func(record.Record)) error
	broken bool
}

// newReader is the reader of a stream with these request headers.
func newReader(md metadata.MD) *reader {
	header := func(name string) string {
		if v := md.Get(name); len(v) > 0 {
			return v[0]
		}
		return ""
	}
	if header("vigil-profile") == "columns" {
		d := columns.NewDecoder(columns.Limits{})
		return &reader{decode: func(b *statefulpb.StatefulBatch, keep func(record.Record)) error {
			return d.Decode(b.GetData(), func(l columns.Line) error {
				keep(l.Record)
				return nil
			})
		}}
	}
	d, err := rows.NewDecoder(header("dd-content-encoding"), rows.Limits{})
	return &reader{broken: err != nil, decode: func(b *statefulpb.StatefulBatch, keep func(record.Record)) error {
		return d.Decode(b.GetBatchId(), b.GetData(), func(l rows.Line) error {
			keep(l.Record)
			return nil
		})
	}}
}

// read is the records of a batch; none once the stream's state is lost.
func (r *reader) read(batch *statefulpb.StatefulBatch) []record.Record {
	if r.broken || len(batch.GetData()) == 0 {
		return nil
	}
	var records []record.Record
	err := r.decode(batch, func(one record.Record) {
		one.Message = bytes.Clone(one.Message)
		records = append(records, one)
	})
	r.broken = err != nil
	return records
}
