package simulate

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Paths of the Datadog metrics API that a collector understands.
const (
	seriesPath       = "/api/v2/series"
	distributionPath = "/api/v1/distribution_points"
)

// maxRaw bounds a request's body after decompression, in bytes: what the series
// endpoint takes (Datadog API reference, "Submit metrics").
const maxRaw = 5 << 20

// errNoSeries marks a body that the API would refuse.
var errNoSeries = errors.New("no series")

// seriesBody is the JSON body of either endpoint; points differ.
type seriesBody struct {
	Series []struct {
		Metric string            `json:"metric"`
		Type   json.RawMessage   `json:"type"`
		Tags   []string          `json:"tags"`
		Points []json.RawMessage `json:"points"`
	} `json:"series"`
}

// parseSeries reads the body of a request to path; machine and time are the
// caller's to set.
func parseSeries(path, encoding string, body []byte) ([]Sample, error) {
	raw, err := decompress(encoding, body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNoSeries, err)
	}
	var parsed seriesBody
	if err := json.Unmarshal(raw, &parsed); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoSeries, err)
	}
	var samples []Sample
	for _, row := range parsed.Series {
		if row.Metric == "" {
			return nil, errNoSeries
		}
		for _, point := range row.Points {
			kind, values := "d", []float64(nil)
			if path == distributionPath {
				values, err = distributionPoint(point)
			} else {
				kind, values, err = seriesPoint(row.Type, point)
			}
			if err != nil {
				return nil, fmt.Errorf("%w: %s: %w", errNoSeries, row.Metric, err)
			}
			for _, value := range values {
				samples = append(samples, Sample{Name: row.Metric, Type: kind, Value: value, Tags: row.Tags})
			}
		}
	}
	return samples, nil
}

// seriesPoint reads a point of the v2 series endpoint, whose types are numbers:
// 1 is a count, 2 a rate, 3 a gauge.
func seriesPoint(number, point json.RawMessage) (kind string, values []float64, err error) {
	var p struct {
		Value *float64 `json:"value"`
	}
	if err := json.Unmarshal(point, &p); err != nil {
		return "", nil, err
	}
	if p.Value == nil {
		return "", nil, errors.New("a point without a value")
	}
	kind = "g"
	if string(number) == "1" {
		kind = "c"
	}
	return kind, []float64{*p.Value}, nil
}

// distributionPoint reads [time, [values]].
func distributionPoint(point json.RawMessage) (values []float64, err error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(point, &parts); err != nil {
		return nil, err
	}
	if len(parts) != 2 {
		return nil, errors.New("a point is [time, [values]]")
	}
	return values, json.Unmarshal(parts[1], &values)
}

func decompress(encoding string, body []byte) ([]byte, error) {
	var r io.Reader = bytes.NewReader(body)
	var err error
	switch encoding {
	case "", "identity":
	case "zstd":
		var z *zstd.Decoder
		if z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*maxRaw)); err == nil {
			defer z.Close()
			r = z
		}
	case "deflate":
		r, err = zlib.NewReader(r)
	case "gzip":
		r, err = gzip.NewReader(r)
	default:
		err = fmt.Errorf("content encoding %q", encoding)
	}
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(r, maxRaw+1))
	if err == nil && len(raw) > maxRaw {
		err = fmt.Errorf("a body of more than %d bytes", maxRaw)
	}
	return raw, err
}
