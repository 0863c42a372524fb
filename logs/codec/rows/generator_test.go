package rows

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/vigil-agent/vigil/logs/record"
)

// generator makes log lines of several shapes, the same for the same seed.
type generator struct {
	rnd *rand.Rand
	now int64
}

func newGenerator(seed uint64) *generator {
	return &generator{rnd: rand.New(rand.NewPCG(seed, 7)), now: 1_700_000_000_000}
}

func (g *generator) records(n int) []record.Record {
	out := make([]record.Record, n)
	for i := range out {
		g.now += g.rnd.Int64N(20)
		status := []string{"info", "info", "info", "warn", "error"}[g.rnd.IntN(5)]
		out[i] = record.Record{Time: g.now, Status: status, Tags: g.tags(), Message: []byte(g.line())}
	}
	return out
}

func (g *generator) tags() string {
	return fmt.Sprintf("hostname:web-1,service:shop-%d,ddsource:go,env:prod", g.rnd.IntN(3))
}

func (g *generator) word() string {
	return strings.Fields("root daemon alice bob carol mallory postgres nginx shop-worker checkout billing")[g.rnd.IntN(11)]
}

func (g *generator) uuid() string {
	a, b := g.rnd.Uint64(), g.rnd.Uint64()
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", uint32(a), uint16(a>>32), uint16(a>>48), uint16(b), b>>16)
}

func (g *generator) ip() string {
	return fmt.Sprintf("10.%d.%d.%d", g.rnd.IntN(4), g.rnd.IntN(256), g.rnd.IntN(256))
}

func (g *generator) line() string {
	n := g.rnd.IntN
	stamp := fmt.Sprintf("2026-03-09 06:%02d:%02d,%03d", n(60), n(60), n(1000))
	switch n(9) {
	case 0:
		return fmt.Sprintf("%s INFO [main] server: request %s took %dms", stamp, g.uuid(), n(500))
	case 1:
		return fmt.Sprintf("%s WARN [pool-%d] db: connection from %s:%d lost", stamp, n(8), g.ip(), 1024+n(60000))
	case 2:
		return fmt.Sprintf("sshd[%d]: Failed password for invalid user %s from %s port %d ssh2", n(32768), g.word(), g.ip(), n(65536))
	case 3:
		return fmt.Sprintf(`{"time":"2026-03-09T06:%02d:%02dZ","level":"info","msg":"cache hit","user_id":%d,"latency_ms":%.3f,"path":"/api/v2/%s/%d"}`,
			n(60), n(60), n(1e6), float64(n(100000))/1000, g.word(), n(1000))
	case 4:
		return fmt.Sprintf("%s - %s [09/Mar/2026:06:%02d:%02d +0000] \"GET /static/%s.js HTTP/1.1\" %d %d", g.ip(), g.word(), n(60), n(60), g.word(), 200+n(4)*100, n(1e5))
	case 5:
		return fmt.Sprintf("block blk_%d of size %d received from /%s", g.rnd.Int64(), 64<<20, g.ip())
	case 6:
		return "panic: " + g.word() + "\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:" + fmt.Sprint(n(300)) + " +0x1d"
	case 7:
		return fmt.Sprintf("%s\x1b[3%dmstate\x1b[0m\t%s  →  %s \U0001F680", g.word(), n(8), g.word(), g.word())
	default:
		return strings.Repeat(g.word()+" ", n(6))
	}
}
