package columns

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// WindowBytes is how far back the text of a batch may refer: what a receiver keeps of
// a stream besides StateBytes. The text is what has not been modelled, so that a
// window spans many batches.
const WindowBytes = 1 << 18

// compressor compresses text with one zstd window for the life of a stream.
type compressor struct {
	z   *zstd.Encoder
	out bytes.Buffer
}

func newCompressor() (*compressor, error) {
	c := &compressor{}
	z, err := zstd.NewWriter(&c.out,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(1), // starts no goroutine
		zstd.WithWindowSize(WindowBytes),
		zstd.WithLowerEncoderMem(true),
		zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("open zstd encoder: %w", err)
	}
	c.z = z
	return c, nil
}

func (c *compressor) reset() { c.z.Reset(&c.out) }

// compress returns bytes that are valid until the next call.
func (c *compressor) compress(text []byte) ([]byte, error) {
	c.out.Reset()
	if _, err := c.z.Write(text); err != nil {
		return nil, fmt.Errorf("compress %d bytes of text: %w", len(text), err)
	}
	if err := c.z.Flush(); err != nil {
		return nil, fmt.Errorf("flush %d bytes of text: %w", len(text), err)
	}
	return c.out.Bytes(), nil
}

// decompressor is the inverse of compressor, for data that may be hostile: it
// holds the window, and as much text as it is asked for.
type decompressor struct {
	z  *zstd.Decoder
	in bytes.Reader
}

func newDecompressor() *decompressor {
	d := &decompressor{}
	// Options that are constant and right cannot fail.
	d.z, _ = zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(1), // starts no goroutine
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(2*WindowBytes),
		zstd.WithDecoderMaxWindow(WindowBytes))
	return d
}

var errText = errors.New("text is damaged")

// decompress appends n bytes of text to dst, which must be all of data. fresh
// starts a new window.
func (d *decompressor) decompress(dst, data []byte, n int, fresh bool) ([]byte, error) {
	d.in.Reset(data)
	if fresh {
		if err := d.z.Reset(&d.in); err != nil {
			return dst, fmt.Errorf("%w: %w", errText, err)
		}
	}
	from := len(dst)
	for len(dst) < from+n {
		// Grow with what really comes, not with what is announced.
		step := min(from+n-len(dst), 1<<16)
		at := len(dst)
		dst = append(dst, make([]byte, step)...)
		if _, err := io.ReadFull(d.z, dst[at:]); err != nil {
			return dst, fmt.Errorf("%w: %w", errText, err)
		}
	}
	if d.in.Len() > 0 {
		return dst, fmt.Errorf("%w: %d bytes too many", errText, d.in.Len())
	}
	return dst, nil
}
