package intake

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/codec/columns"
	"github.com/vigil-agent/vigil/logs/codec/rows"
	"github.com/vigil-agent/vigil/logs/intake/journal"
)

// profilesHeader is the announcement and profileHeader the client's choice (logs
// specification, section 14.1).
const (
	profilesHeader = "vigil-profiles"
	profileHeader  = "vigil-profile"
	encodingHeader = "dd-content-encoding"
)

// Names of the profiles, the better one first.
const (
	profileColumns = "columns"
	profileRows    = "rows"
	profiles       = profileColumns + "," + profileRows
)

// decoder holds the state of one stream.
type decoder interface {
	// Decode calls yield for each line, whose message is valid until the next one,
	// or for none when the batch is refused.
	Decode(id uint32, data []byte, yield func(journal.Line) error) error
	// StateBytes is the size of the state.
	StateBytes() int
}

// newDecoder is what the request headers ask for. Errors are statuses.
func newDecoder(ctx context.Context, cfg Config) (decoder, error) {
	encoding, profile := header(ctx, encodingHeader), header(ctx, profileHeader)
	switch profile {
	case "", profileRows:
		d, err := rows.NewDecoder(encoding, cfg.rowsLimits())
		if err != nil {
			return nil, status.Errorf(codes.Unimplemented, "%s: %v", encodingHeader, err)
		}
		return rowsDecoder{d}, nil
	case profileColumns:
		// Batches of this profile are compressed by their format.
		if encoding != "" && encoding != rows.Identity.Encoding() {
			return nil, status.Errorf(codes.Unimplemented, "%s: %q with %s %s: use identity", encodingHeader, encoding, profileHeader, profile)
		}
		return &columnsDecoder{decoder: columns.NewDecoder(cfg.columnsLimits())}, nil
	default:
		return nil, status.Errorf(codes.Unimplemented, "%s: %q is not one of %s", profileHeader, profile, profiles)
	}
}

// header is the first value of a request header.
func header(ctx context.Context, name string) string {
	if v := metadata.ValueFromIncomingContext(ctx, name); len(v) > 0 {
		return v[0]
	}
	return ""
}

type rowsDecoder struct{ *rows.Decoder }

func (d rowsDecoder) Decode(id uint32, data []byte, yield func(journal.Line) error) error {
	return d.Decoder.Decode(id, data, func(l rows.Line) error { return yield(journal.Line(l)) })
}

type columnsDecoder struct{ decoder *columns.Decoder }

func (d *columnsDecoder) StateBytes() int { return d.decoder.StateBytes() }

func (d *columnsDecoder) Decode(id uint32, data []byte, yield func(journal.Line) error) error {
	if id == 0 {
		return &rows.ProtocolError{BatchID: id, Datum: -1, What: "the columns profile has no snapshot"}
	}
	return d.decoder.Decode(data, func(l columns.Line) error { return yield(journal.Line(l)) })
}

// refusal is the status for a batch that was not accepted.
func refusal(err error) error {
	switch {
	case errors.Is(err, rows.ErrProtocol), errors.Is(err, columns.ErrProtocol):
		return status.Error(codes.InvalidArgument, err.Error())
	case errors.Is(err, rows.ErrLimit), errors.Is(err, columns.ErrLimit), errors.Is(err, errState):
		return status.Error(codes.ResourceExhausted, err.Error())
	default:
		return status.Error(codes.Internal, err.Error())
	}
}
