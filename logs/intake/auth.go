package intake

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/vigil-agent/vigil/logs/internal/follow"
	"github.com/vigil-agent/vigil/logs/internal/secret"
)

// keyHeader carries the client's API key (logs specification, section 1.6).
const keyHeader = "dd-api-key"

// followKeys keeps the keys of a file. One that cannot be read leaves them as they
// were.
func followKeys(path string, log *slog.Logger) (*follow.File[[]string], error) {
	keys, err := follow.Open(path, func() ([]string, error) { return secret.Keys(path) }, func(err error) {
		log.Warn("the API keys stay as they were: their file "+err.Error(), "path", path)
	})
	if err != nil {
		return nil, fmt.Errorf("api_key_file: %s %w", path, err)
	}
	return keys, nil
}

// authorize compares the key of a request with each of want in constant time; none
// accepts any client.
func authorize(ctx context.Context, want []string) error {
	if len(want) == 0 {
		return nil
	}
	keys := metadata.ValueFromIncomingContext(ctx, keyHeader)
	if len(keys) == 0 {
		return status.Errorf(codes.Unauthenticated, "no %s header: set api_key at the sender", keyHeader)
	}
	// Hashes have one length, so the comparison does not tell the key's.
	got, equal := sha256.Sum256([]byte(keys[0])), 0
	for _, key := range want {
		expected := sha256.Sum256([]byte(key))
		equal |= subtle.ConstantTimeCompare(got[:], expected[:])
	}
	if len(keys) > 1 || equal != 1 {
		return status.Errorf(codes.Unauthenticated, "%s does not match: set the same api_key on both sides", keyHeader)
	}
	return nil
}
