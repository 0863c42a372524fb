package fallback

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/vigil-agent/vigil/logs/record"
	"github.com/vigil-agent/vigil/logs/stream/fault"
)

const (
	// backTime is how long an endpoint that failed comes after the others.
	backTime = time.Minute
	// leastLimit is as far as refusals with 413 lower the size of requests.
	leastLimit = 1 << 10
	// maxRetryAfter bounds what a receiving side may ask for.
	maxRetryAfter = time.Hour
	// excerpt is how much of a refusal is quoted, drain how much is read so that
	// the connection can be used again.
	excerpt, drain = 256, 64 << 10
)

// Client ships batches. Send may be called concurrently, and then one call waits
// for another.
type Client struct {
	cfg     Config
	key     func() string
	targets []*target

	// sending guards everything declared below.
	sending chan struct{}
	encoder encoder
	done    progress
	plain   []byte
	body    *body
	tried   []*target
	zstd    *zstd.Encoder
	gzip    *gzip.Writer

	mu    sync.Mutex
	stats Stats // guarded by mu
}

// Stats is what a client has done.
type Stats struct {
	// Endpoint is the one that took the last request.
	Endpoint string `json:"endpoint,omitempty"`
	// Requests were taken, with so many lines and bytes before and after
	// compression; Failures were not.
	Requests   uint64 `json:"requests"`
	Lines      uint64 `json:"lines"`
	PlainBytes uint64 `json:"plain_bytes"`
	SentBytes  uint64 `json:"sent_bytes"`
	Failures   uint64 `json:"failures"`
	// CutMessages were longer than an entry may be; ReplacedMessages were not
	// UTF-8, which JSON cannot carry.
	CutMessages      uint64 `json:"cut_messages"`
	ReplacedMessages uint64 `json:"replaced_messages"`
}

// New makes a client; nothing is connected before Send.
func New(cfg Config, deps Deps) (*Client, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Client{
		cfg: cfg, key: deps.Key, sending: make(chan struct{}, 1), body: &body{},
		encoder: encoder{maxBytes: cfg.MaxBytes, maxEntries: cfg.MaxEntries, maxEntry: cfg.MaxEntry},
	}
	for _, e := range cfg.Endpoints {
		t, err := newTarget(e, deps)
		if err != nil {
			return nil, err
		}
		c.targets = append(c.targets, t)
	}
	switch cfg.Compression {
	case Zstd:
		// One goroutine: a request is compressed before it is sent.
		c.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
	case Gzip:
		c.gzip, err = gzip.NewWriterLevel(nil, gzip.DefaultCompression)
	}
	if err != nil {
		return nil, fmt.Errorf("http fallback: %w", err)
	}
	return c, nil
}

// Close ends idle connections.
func (c *Client) Close() {
	for _, t := range c.targets {
		t.client.CloseIdleConnections()
	}
}

// Stats says what was done so far.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// Send delivers a batch, trying each endpoint once, and keeps nothing of recs. An
// error has a class (fault.Of): Credentials when the key is missing or refused, Poison
// when the receiving side cannot read the batch, Size when one line is too large
// for it, Throttle and Transient when another try may succeed, with the wait that
// was asked for (fault.RetryAfter). It wraps *Error, which tells how many of recs
// were delivered before it: these are left out when the next call begins with them.
func (c *Client) Send(ctx context.Context, recs []record.Record) error {
	select {
	case c.sending <- struct{}{}:
		defer func() { <-c.sending }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for from := c.done.skip(recs); from < len(recs); {
		cut, replaced := c.encoder.cut, c.encoder.replaced
		var n int
		c.plain, n = c.encoder.append(c.plain[:0], recs[from:])
		err := c.deliver(ctx, n)
		if err == nil {
			c.mu.Lock()
			c.stats.CutMessages, c.stats.ReplacedMessages = c.encoder.cut, c.encoder.replaced
			c.mu.Unlock()
			from += n
			continue
		}
		c.encoder.cut, c.encoder.replaced = cut, replaced
		if fault.Of(err) == fault.Size && n > 1 && len(c.plain)/2 >= leastLimit {
			// Smaller from now on: the same size would be refused again.
			c.encoder.maxBytes = min(c.encoder.maxBytes, len(c.plain)/2+1)
			continue
		}
		if known, ok := errors.AsType[*Error](err); ok {
			known.Delivered = from
		}
		c.done.keep(recs[:from])
		return err
	}
	return nil
}

// deliver sends the request in plain to the first endpoint that takes it.
func (c *Client) deliver(ctx context.Context, lines int) error {
	data := c.compress()
	now := time.Now()
	var failures []error
	for _, t := range c.order(now) {
		err := c.post(ctx, t, data)
		if err == nil {
			t.retryAt = time.Time{}
			c.mu.Lock()
			c.stats.Endpoint = t.host
			c.stats.Requests++
			c.stats.Lines += uint64(lines)
			c.stats.PlainBytes += uint64(len(c.plain))
			c.stats.SentBytes += uint64(len(data))
			c.mu.Unlock()
			return nil
		}
		c.mu.Lock()
		c.stats.Failures++
		c.mu.Unlock()
		if class := fault.Of(err); class == fault.Poison || class == fault.Size || ctx.Err() != nil {
			return err // another endpoint would say the same
		}
		t.retryAt = now.Add(backTime)
		failures = append(failures, err)
	}
	return worst(failures)
}

// order is the endpoints as configured, those that failed a short while ago last.
func (c *Client) order(now time.Time) []*target {
	c.tried = c.tried[:0]
	for _, late := range [...]bool{false, true} {
		for _, t := range c.targets {
			if late == now.Before(t.retryAt) {
				c.tried = append(c.tried, t)
			}
		}
	}
	return c.tried
}

// worst is the error that leaves most hope, with the texts of all of them.
func worst(failures []error) error {
	if len(failures) == 1 {
		return failures[0]
	}
	class, wait := fault.Credentials, time.Duration(0)
	for _, err := range failures {
		if got := fault.Of(err); got != fault.Credentials && class != fault.Transient {
			class = got
		}
		if after := fault.RetryAfter(err); after > 0 && (wait == 0 || after < wait) {
			wait = after
		}
	}
	return &fault.Error{Class: class, RetryAfter: wait, Err: errors.Join(failures...)}
}

// compress compresses plain into the body's memory, which is not used again while
// a request may still read it.
func (c *Client) compress() []byte {
	if c.body.busy.Load() {
		c.body = &body{}
	}
	b := c.body
	switch {
	case c.zstd != nil:
		b.data = c.zstd.EncodeAll(c.plain, b.data[:0])
	case c.gzip != nil:
		buf := bytes.NewBuffer(b.data[:0])
		c.gzip.Reset(buf)
		_, _ = c.gzip.Write(c.plain) // a buffer takes all
		_ = c.gzip.Close()
		b.data = buf.Bytes()
	default:
		b.data = append(b.data[:0], c.plain...)
	}
	return b.data
}

// body is the body of a request. The transport closes it when it is done with it,
// which may be after the answer.
type body struct {
	bytes.Reader
	data []byte
	busy atomic.Bool
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.busy.Store(false)
	return nil
}

// post sends one request to one endpoint.
func (c *Client) post(ctx context.Context, t *target, data []byte) error {
	key := ""
	if c.key != nil {
		key = c.key()
	}
	if key != "" && !t.mayKey {
		return fault.New(fault.Credentials, &Error{Host: t.host, Text: "the API key does not go over plaintext: use https, a loopback address, or allow it"})
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url, nil)
	if err != nil {
		return fault.New(fault.Transient, &Error{Host: t.host, Text: err.Error()})
	}
	if c.body.busy.Load() { // by an endpoint that has failed
		c.body = &body{data: bytes.Clone(data)}
	}
	b := c.body
	b.Reset(b.data)
	b.busy.Store(true)
	req.Body, req.ContentLength = b, int64(len(b.data))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", c.cfg.UserAgent)
	if c.cfg.Compression != Identity {
		req.Header.Set("Content-Encoding", c.cfg.Compression)
	}
	if key != "" {
		req.Header["DD-API-KEY"] = []string{key}
	}
	resp, err := t.client.Do(req)
	if err != nil {
		return fault.New(fault.Transient, &Error{Host: t.host, Text: redact(err.Error(), key), Err: err})
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, excerpt))
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, drain)) // what cannot be read ends with the connection
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return nil
	}
	return &fault.Error{
		Class:      classOf(resp.StatusCode),
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now()),
		Err:        &Error{Host: t.host, Status: resp.StatusCode, Text: redact(strings.TrimSpace(string(text)), key)},
	}
}

// classOf follows the intake's rules (logs specification, section 4).
func classOf(status int) fault.Class {
	switch status {
	case http.StatusBadRequest:
		return fault.Poison
	case http.StatusUnauthorized, http.StatusForbidden:
		return fault.Credentials
	case http.StatusRequestEntityTooLarge:
		return fault.Size
	case http.StatusTooManyRequests:
		return fault.Throttle
	default:
		return fault.Transient
	}
}

// retryAfter reads the header: seconds, or a date.
func retryAfter(value string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if seconds, err := strconv.Atoi(value); err == nil {
		wait = time.Duration(min(seconds, int(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	return min(max(0, wait), maxRetryAfter)
}

// redact takes the key out of text that others wrote.
func redact(text, key string) string {
	if key == "" {
		return text
	}
	return strings.ReplaceAll(text, key, "********")
}
