package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/vigil-agent/vigil/logs/record"
)

// windowBytes is how far back a stream-lifetime window reaches.
const windowBytes = 8 << 20

// window is one zstd stream, flushed after every batch, and its reader.
type window struct {
	enc  *zstd.Encoder
	dec  *zstd.Decoder
	out  bytes.Buffer
	feed feed
	// sizes are the batches' before compression, in the order of reading: a
	// receiver would see where a batch ends from its text.
	sizes []int
	total int
	begun bool // reading
	plain []byte
}

// feed hands the decoder one batch at a time. Asking for more than the batch is
// an error: it would hang a receiver that waits for its end.
type feed struct{ data []byte }

var errAhead = errors.New("the decoder read past the end of a flushed batch")

func (f *feed) Read(p []byte) (int, error) {
	if len(f.data) == 0 {
		return 0, errAhead
	}
	n := copy(p, f.data)
	f.data = f.data[n:]
	return n, nil
}

func openWindow() (*window, error) {
	w := &window{}
	var err error
	w.enc, err = zstd.NewWriter(&w.out, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(windowBytes), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	w.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(windowBytes))
	return w, err
}

func (w *window) compress(dst, plain []byte) ([]byte, error) {
	w.out.Reset()
	w.sizes = append(w.sizes, len(plain))
	w.total += len(plain)
	if _, err := w.enc.Write(plain); err != nil {
		return nil, err
	}
	if err := w.enc.Flush(); err != nil {
		return nil, err
	}
	return append(dst, w.out.Bytes()...), nil
}

// decompress returns bytes that are valid until the next call.
func (w *window) decompress(data []byte) ([]byte, error) {
	w.feed.data = data
	if !w.begun {
		w.begun = true
		if err := w.dec.Reset(&w.feed); err != nil {
			return nil, err
		}
	}
	size := w.sizes[0]
	w.sizes = w.sizes[1:]
	if cap(w.plain) < size {
		w.plain = make([]byte, size)
	}
	_, err := io.ReadFull(w.dec, w.plain[:size])
	if err == nil && len(w.feed.data) > 0 {
		err = fmt.Errorf("%d bytes of the batch are left over", len(w.feed.data))
	}
	return w.plain[:size], err
}

func (w *window) state() int { return min(w.total, windowBytes) }

// jsonWindow sends HTTP v2 bodies through one window.
type jsonWindow struct {
	*window
	w    jsonWriter
	body []byte
}

func openJSONWindow() (codec, error) {
	w, err := openWindow()
	return &jsonWindow{window: w}, err
}

func (c *jsonWindow) encode(dst []byte, recs []record.Record) ([]byte, error) {
	c.body = c.w.append(c.body[:0], recs)
	return c.compress(dst, c.body)
}

func (c *jsonWindow) decode(data []byte, want []record.Record) (int, error) {
	body, err := c.decompress(data)
	if err != nil {
		return 0, err
	}
	return matchJSON(body, want)
}

// rawWindow sends lines, without what is known about them.
type rawWindow struct {
	*window
	text []byte
}

func openRawWindow() (codec, error) {
	w, err := openWindow()
	return &rawWindow{window: w}, err
}

func (c *rawWindow) encode(dst []byte, recs []record.Record) ([]byte, error) {
	c.text = appendLines(c.text[:0], recs)
	return c.compress(dst, c.text)
}

func (c *rawWindow) decode(data []byte, want []record.Record) (int, error) {
	text, err := c.decompress(data)
	if err != nil {
		return 0, err
	}
	c.text = appendLines(c.text[:0], want)
	if !bytes.Equal(text, c.text) {
		return 0, fmt.Errorf("sent %.200q, got %.200q", c.text, text)
	}
	return 0, nil
}

func appendLines(dst []byte, recs []record.Record) []byte {
	for i := range recs {
		dst = append(append(dst, recs[i].Message...), '\n')
	}
	return dst
}
