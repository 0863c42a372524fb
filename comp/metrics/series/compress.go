package series

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// encoder is shared; its window is small because it stays in memory and bodies
// of the agent's own metrics are a few kilobytes.
var encoder = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil,
		zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(64<<10),
		zstd.WithLowerEncoderMem(true))
})

// Body is the compressed body, as the endpoint's Encoding says. The result may
// be longer than the endpoint's MaxBody: the caller splits.
func (p Payload) Body() ([]byte, error) {
	raw := p.Raw()
	if p.Endpoint.Encoding == "zstd" {
		e, err := encoder()
		if err != nil {
			return nil, fmt.Errorf("set up zstd: %w", err)
		}
		return e.EncodeAll(raw, nil), nil
	}
	var body bytes.Buffer
	w := zlib.NewWriter(&body) // HTTP's deflate is the zlib format (RFC 9110, 8.4.1.2)
	if _, err := w.Write(raw); err != nil {
		return nil, fmt.Errorf("compress metrics: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compress metrics: %w", err)
	}
	return body.Bytes(), nil
}
