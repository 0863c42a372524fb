package intake

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// keyHeader carries the client's API key (logs specification, section 1.6).
const keyHeader = "dd-api-key"

// authorize compares the key of a request with want in constant time; an empty
// want accepts any client.
func authorize(ctx context.Context, want string) error {
	if want == "" {
		return nil
	}
	keys := metadata.ValueFromIncomingContext(ctx, keyHeader)
	if len(keys) == 0 {
		return status.Errorf(codes.Unauthenticated, "no %s header: set api_key at the sender", keyHeader)
	}
	// Hashes have one length, so the comparison does not tell the key's.
	got, expected := sha256.Sum256([]byte(keys[0])), sha256.Sum256([]byte(want))
	if len(keys) > 1 || subtle.ConstantTimeCompare(got[:], expected[:]) != 1 {
		return status.Errorf(codes.Unauthenticated, "%s does not match: set the same api_key on both sides", keyHeader)
	}
	return nil
}
