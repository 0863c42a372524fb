package rows

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// errTooMuch means that data expands beyond the limit.
var errTooMuch = errors.New("expands beyond the limit")

// decompressor is the inverse of compressor, for data that may be hostile: it
// holds at most limit bytes and a fixed amount besides.
type decompressor struct {
	limit int
	plain bool
	zstd  *zstd.Decoder
	gzip  *gzip.Reader
	in    bytes.Reader
	out   bytes.Buffer
	buf   []byte
}

func newDecompressor(encoding string, limit int) (*decompressor, error) {
	d := &decompressor{limit: limit}
	switch encoding {
	case "", Identity.Encoding():
		d.plain = true
	case Gzip.Encoding():
		d.gzip = new(gzip.Reader)
	case Zstd.Encoding():
		// The window of a frame is never more than what may come out of it.
		z, err := zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxMemory(uint64(limit)),
			zstd.WithDecoderMaxWindow(max(uint64(limit), zstd.MinWindowSize)))
		if err != nil {
			return nil, fmt.Errorf("open zstd decoder: %w", err)
		}
		d.zstd = z
	default:
		return nil, fmt.Errorf("%q: %w", encoding, ErrUnknownEncoding)
	}
	return d, nil
}

// decompress returns bytes that are valid until the next call. No bytes in any
// encoding are no bytes.
func (d *decompressor) decompress(data []byte) ([]byte, error) {
	switch {
	case len(data) == 0:
		return nil, nil
	case d.plain:
		if len(data) > d.limit {
			return nil, errTooMuch
		}
		return data, nil
	case d.gzip != nil:
		return d.gunzip(data)
	}
	out, err := d.zstd.DecodeAll(data, d.buf[:0])
	if errors.Is(err, zstd.ErrDecoderSizeExceeded) || errors.Is(err, zstd.ErrWindowSizeExceeded) {
		return nil, errTooMuch
	}
	if err != nil {
		return nil, fmt.Errorf("read zstd: %w", err)
	}
	d.buf = out
	return out, nil
}

func (d *decompressor) gunzip(data []byte) ([]byte, error) {
	d.in.Reset(data)
	if err := d.gzip.Reset(&d.in); err != nil {
		return nil, fmt.Errorf("read gzip header: %w", err)
	}
	d.out.Reset()
	n, err := d.out.ReadFrom(io.LimitReader(d.gzip, int64(d.limit)+1))
	if n > int64(d.limit) {
		return nil, errTooMuch
	}
	if err != nil {
		return nil, fmt.Errorf("read gzip: %w", err)
	}
	return d.out.Bytes(), nil
}

// trim gives back the memory of an unusually large batch.
func (d *decompressor) trim(keep int) {
	if cap(d.buf) > keep {
		d.buf = nil
	}
	if d.out.Cap() > keep {
		d.out = bytes.Buffer{}
	}
}
