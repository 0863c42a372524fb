package stream

import (
	"fmt"

	"github.com/vigil-agent/vigil/logs/record"
)

// logLines are n lines of a few shapes, numbered from "from".
func logLines(from, n int) []record.Record {
	recs := make([]record.Record, n)
	for i := range recs {
		at := from + i
		var m string
		switch at % 4 {
		case 0:
			m = fmt.Sprintf("%08d GET /api/items/%d 200 in %d ms", at, at*7919%5000, at%97)
		case 1:
			m = fmt.Sprintf("%08d user user-%d logged in from 10.0.%d.%d", at, at%300, at%256, at*31%256)
		case 2:
			m = fmt.Sprintf("%08d \tcache  miss\tkey=%x  \r", at, at*2654435761)
		default:
			m = fmt.Sprintf("%08d {\"level\":\"warn\",\"n\":%d,\"msg\":\"é😀 \x1b[31mred\x1b[0m\"}", at, at)
		}
		recs[i] = record.Record{
			Time: 1730000000000 + int64(at), Status: []string{"info", "", "error"}[at%3], Tags: "service:app,env:dev",
			Message: []byte(m), Origin: record.Origin{Source: "file", End: int64(at + 1)},
		}
	}
	return recs
}

func texts(recs []record.Record) []string {
	out := make([]string, len(recs))
	for i := range recs {
		out[i] = string(recs[i].Message)
	}
	return out
}
