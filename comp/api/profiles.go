package api

import (
	"net/http"
	"net/http/pprof"
)

// profiles are the routes of net/http/pprof, on the local socket alone:
// `curl --unix-socket SOCKET http://vigil/debug/pprof/heap`.
func profiles() []Route {
	return []Route{
		{Pattern: "GET /debug/pprof/", Handler: http.HandlerFunc(pprof.Index)},
		{Pattern: "GET /debug/pprof/cmdline", Handler: http.HandlerFunc(pprof.Cmdline)},
		{Pattern: "GET /debug/pprof/profile", Handler: http.HandlerFunc(pprof.Profile)},
		{Pattern: "GET /debug/pprof/symbol", Handler: http.HandlerFunc(pprof.Symbol)},
		{Pattern: "GET /debug/pprof/trace", Handler: http.HandlerFunc(pprof.Trace)},
	}
}
