package rows

import (
	"fmt"
	"math/rand/v2"
	"testing"

	pb "github.com/DataDog/agent-payload/v5/statefulpb"
	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/logs/record"
)

// jsonLine is a log line that a schema gives back exactly: the message first, the
// other keys in the schema's order, no space, canonical values.
type jsonLine struct {
	took, status int64
	level, path  string
}

func (l jsonLine) text() string {
	return fmt.Sprintf(`{"msg":"request took %d ms","level":"%s","path":"%s","status":%d}`, l.took, l.level, l.path, l.status)
}

// JSON schema columns save nothing over templates even for lines that suit them: a
// template holds the keys too, and a log with a schema names it and the message key
// each time. That is why the encoder sends none. Compressed, the two are within a
// few percent of each other.
func TestJSONSchemaSavesNothing(t *testing.T) {
	t.Parallel()
	for _, lines := range []int{20, 200, 1000} {
		rnd := rand.New(rand.NewPCG(1, 1))
		var in []record.Record
		datums := []*pb.Datum{dictDatum(1, "msg"), dictDatum(2, "level,path,status"), dictDatum(3, "info"), dictDatum(4, "warn"), patternDatum(1, "request took  ms", 13)}
		for i := range lines {
			l := jsonLine{took: rnd.Int64N(5000), status: 200 + 100*rnd.Int64N(4), level: "info", path: fmt.Sprintf("/api/v1/users/%d", rnd.IntN(1e6))}
			level := ref(3)
			if rnd.IntN(20) == 0 {
				l.level, level = "warn", ref(4)
			}
			in = append(in, rec(int64(i), l.text()))
			log := structuredLog(1, 1, text(fmt.Sprint(l.took)))
			if i == 0 {
				log.Timestamp = 0
			}
			s := log.GetStructured()
			s.JsonMessageKey, s.JsonContextSchemaId = ref(1), 2
			s.JsonContextValues = []*pb.DynamicValue{level, text(l.path), number(l.status)}
			datums = append(datums, logDatum(log))
		}
		withSchema := build(t, datums...)
		requireSame(t, in, decode(t, newDecoder(t, ""), 1, withSchema))
		z, err := newCompressor(Zstd)
		require.NoError(t, err)
		data, err := z.compress(withSchema)
		require.NoError(t, err)
		p := encode(t, newEncoder(t, Options{}), in)

		t.Logf("%d lines: %d bytes with templates, %d with a schema; %d %d", lines, len(p.Data), len(data), p.EncodedBytes, len(withSchema))
	}
}
