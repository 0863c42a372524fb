package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/klauspost/compress/zstd"
)

// plainVerb makes this program the plain sender: ship plain-sender FILE URL.
const plainVerb = "plain-sender"

// Bounds of one body, as of the reference (logs specification, section 4).
const (
	plainBatch = 1000
	plainWait  = time.Second
	plainPoll  = 10 * time.Millisecond
)

// linesHeader tells the sink how many lines a body holds, so that it need not
// look inside.
const linesHeader = "X-Lines"

// plainSender tails a file until it is told to end.
func plainSender(path, url string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // only read
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	defer zip.Close() //nolint:errcheck // nothing is written through it
	p := &plain{url: url, zip: zip}
	reader, since := bufio.NewReaderSize(file, 1<<18), time.Now()
	var rest []byte // of a line that is still written
	for ctx.Err() == nil {
		part, err := reader.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			rest = append(rest, part...)
			continue
		case errors.Is(err, io.EOF):
			rest = append(rest, part...)
			if p.lines > 0 && time.Since(since) > plainWait {
				if err := p.post(ctx); err != nil {
					return err
				}
			}
			time.Sleep(plainPoll)
			continue
		case err != nil:
			return err
		}
		if p.lines == 0 {
			since = time.Now()
		}
		line := part
		if len(rest) > 0 {
			rest = append(rest, part...)
			line = rest
		}
		p.add(bytes.TrimSuffix(line, []byte{'\n'}))
		rest = rest[:0]
		if p.lines == plainBatch {
			if err := p.post(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// plain fills bodies and posts them.
type plain struct {
	url       string
	zip       *zstd.Encoder
	lines     int
	body, out []byte
}

func (p *plain) add(line []byte) {
	open := byte(',')
	if p.lines == 0 {
		open = '['
	}
	p.body = append(append(p.body, open), `{"message":`...)
	p.body, _ = jsontext.AppendQuote(p.body, line) // its error tells of bytes that were replaced
	p.body = strconv.AppendInt(append(p.body, `,"status":"info","timestamp":`...), time.Now().UnixMilli(), 10)
	p.body = append(p.body, `,"hostname":"host","service":"shop","ddsource":"go","ddtags":"env:bench"}`...)
	p.lines++
}

func (p *plain) post(ctx context.Context) error {
	p.body = append(p.body, ']')
	p.out = p.zip.EncodeAll(p.body, p.out[:0])
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.out))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Content-Encoding", "zstd")
	request.Header.Set(linesHeader, strconv.Itoa(p.lines))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	if response.StatusCode != http.StatusAccepted {
		return fmt.Errorf("the sink answered %s", response.Status)
	}
	p.body, p.lines = p.body[:0], 0
	return nil
}

// sink reads what it is sent and says that it has it.
type sink struct{ lines atomic.Int64 }

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	lines, err := strconv.Atoi(r.Header.Get(linesHeader))
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	s.lines.Add(int64(lines))
}
