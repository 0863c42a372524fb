package rows

import (
	"testing"

	pb "github.com/DataDog/agent-payload/v5/statefulpb"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// What we compress, the transport message carries, and a decoder reads it as its
// header says; an encoding it does not know is refused when the stream opens.
func TestE12EncodingsAreHonoured(t *testing.T) {
	t.Parallel()
	in := newGenerator(5).records(100)
	for _, c := range []Compression{Zstd, Gzip, Identity} {
		t.Run(c.Encoding(), func(t *testing.T) {
			t.Parallel()
			p := encode(t, newEncoder(t, Options{Compression: c}), in)
			wire, err := proto.Marshal(&pb.StatefulBatch{BatchId: 1, Data: p.Data})
			require.NoError(t, err)
			var batch pb.StatefulBatch
			require.NoError(t, proto.Unmarshal(wire, &batch))
			requireSame(t, in, decode(t, newDecoder(t, c.Encoding()), batch.BatchId, batch.Data))
		})
	}
	t.Run("absent", func(t *testing.T) {
		t.Parallel()
		p := encode(t, newEncoder(t, Options{Compression: Identity}), in)
		requireSame(t, in, decode(t, newDecoder(t, ""), 1, p.Data))
	})
	for _, encoding := range []string{"br", "ZSTD", "zstd, gzip"} {
		t.Run(encoding, func(t *testing.T) {
			t.Parallel()
			_, err := NewDecoder(encoding, Limits{})
			require.ErrorIs(t, err, ErrUnknownEncoding)
			require.ErrorContains(t, err, encoding)
		})
	}
}
