package forward

import (
	"net/http"
	"net/textproto"
	"strings"
)

// hopByHop are the headers of one connection only (RFC 9110 section 7.6.1 and
// the older names still in use). Expect is among them because the agent has
// already read the body that 100-continue asks about.
var hopByHop = []string{
	"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization",
	"Te", "Trailer", "Transfer-Encoding", "Upgrade", "Expect",
}

// endToEnd is a copy of h without the headers of the connection it came on.
func endToEnd(h http.Header) http.Header {
	out := h.Clone()
	if out == nil {
		out = http.Header{}
	}
	for _, list := range h.Values("Connection") {
		for name := range strings.SplitSeq(list, ",") {
			out.Del(textproto.TrimString(name))
		}
	}
	for _, name := range hopByHop {
		out.Del(name)
	}
	if _, sent := out["User-Agent"]; !sent {
		out["User-Agent"] = []string{""} // keeps net/http from adding its own
	}
	return out
}
