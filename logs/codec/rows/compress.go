package rows

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// compressor turns a DatumSequence into Payload.Data. It starts no goroutine and
// reuses its memory.
type compressor struct {
	kind Compression
	zstd *zstd.Encoder
	gzip *gzip.Writer
	buf  bytes.Buffer
	out  []byte
}

func newCompressor(kind Compression) (*compressor, error) {
	c := &compressor{kind: kind}
	switch kind {
	case Zstd:
		// No checksum: the transport has its own, and small batches feel four bytes.
		// The window spans several batches of 1000 lines; a larger one would only
		// cost memory in every pipeline.
		w, err := zstd.NewWriter(nil,
			zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithEncoderConcurrency(1),
			zstd.WithWindowSize(1<<20),
			zstd.WithLowerEncoderMem(true),
			zstd.WithEncoderCRC(false))
		if err != nil {
			return nil, fmt.Errorf("open zstd encoder: %w", err)
		}
		c.zstd = w
	case Gzip:
		c.gzip = gzip.NewWriter(&c.buf)
	case Identity:
	}
	return c, nil
}

// compress returns bytes that are valid until the next call.
func (c *compressor) compress(src []byte) ([]byte, error) {
	switch c.kind {
	case Zstd:
		c.out = c.zstd.EncodeAll(src, c.out[:0])
		return c.out, nil
	case Gzip:
		c.buf.Reset()
		c.gzip.Reset(&c.buf)
		if _, err := c.gzip.Write(src); err != nil {
			return nil, fmt.Errorf("compress %d bytes with gzip: %w", len(src), err)
		}
		if err := c.gzip.Close(); err != nil {
			return nil, fmt.Errorf("finish gzip of %d bytes: %w", len(src), err)
		}
		return c.buf.Bytes(), nil
	default:
		return src, nil
	}
}
