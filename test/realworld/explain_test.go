package realworld

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vigil-agent/vigil/debugger/binary"
	"github.com/vigil-agent/vigil/debugger/explain"
)

// programs are the servers by the name of their binary, and probes on each: on
// functions of net/http, methods, generic functions and function literals. All
// arguments are readable at the entry.
var programs = map[string]map[string]string{
	"nats-server": {
		"net/http.(*conn).serve":               "c *net/http.conn, ctx context.Context",
		"net/http.HandlerFunc.ServeHTTP":       "f net/http.HandlerFunc, w net/http.ResponseWriter, r *net/http.Request",
		"server.(*Server).HandleVarz":          "s *github.com/nats-io/nats-server/v2/server.Server, w net/http.ResponseWriter, r *net/http.Request",
		"server.(*client).processPub":          "c *github.com/nats-io/nats-server/v2/server.client, arg []uint8",
		"server.(*ipQueue).push":               "q *github.com/nats-io/nats-server/v2/server.ipQueue[T], e T",
		"server.(*Server).reloadAuthorization": "s *github.com/nats-io/nats-server/v2/server.Server",
	},
	"server": { // etcd
		"net/http.(*conn).serve":                                 "c *net/http.conn, ctx context.Context",
		"google.golang.org/grpc.(*Server).handleStream":          "s *google.golang.org/grpc.Server, t google.golang.org/grpc/internal/transport.ServerTransport, stream *google.golang.org/grpc/internal/transport.ServerStream",
		"go.etcd.io/raft/v3.(*raft).Step":                        "r *go.etcd.io/raft/v3.raft, m *go.etcd.io/raft/v3/raftpb.Message",
		"etcdserver.(*EtcdServer).Put":                           "s *go.etcd.io/etcd/server/v3/etcdserver.EtcdServer, ctx context.Context, r *go.etcd.io/etcd/api/v3/etcdserverpb.PutRequest",
		"golang/btree.(*BTree[go.shape.*uint8]).ReplaceOrInsert": "t *k8s.io/utils/third_party/forked/golang/btree.BTree[T], item T",
	},
	"caddy": {
		"net/http.(*conn).serve":             "c *net/http.conn, ctx context.Context",
		"caddyhttp.(*Server).ServeHTTP":      "s *github.com/caddyserver/caddy/v2/modules/caddyhttp.Server, w net/http.ResponseWriter, r *net/http.Request",
		"caddyhttp.StaticResponse.ServeHTTP": "s github.com/caddyserver/caddy/v2/modules/caddyhttp.StaticResponse, w net/http.ResponseWriter, r *net/http.Request, next github.com/caddyserver/caddy/v2/modules/caddyhttp.Handler",
		"caddy/v2.(*Replacer).ReplaceAll":    "r *github.com/caddyserver/caddy/v2.Replacer, input string, empty string",
	},
}

// TestProbesOnServers explains probes on functions of each server.
func TestProbesOnServers(t *testing.T) {
	t.Parallel()
	for program, functions := range programs {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			bin := server(t, program)
			for function, want := range functions {
				report, err := explain.What(bin, function, explain.Options{Most: 4})
				require.NoError(t, err, function)
				found := report.Placements[0]
				require.Empty(t, found.Error)
				require.Equal(t, "entry", found.Sites[0].Kind)
				require.Equal(t, "push", found.Sites[0].Anchor, function)
				require.Equal(t, want, arguments(t, found), function)
			}
		})
	}
}

// shape is what a type parameter is in compiled code.
var shape = regexp.MustCompile(`go\.shape\.[^\], ]+`)

// arguments are those of a placement, in the order of declaration; all can be
// read.
func arguments(t *testing.T, p explain.Placement) string {
	t.Helper()
	var list []string
	for _, v := range p.Variables {
		if v.Role == "argument" {
			require.True(t, v.Readable, "%s in %s: %s", v.Name, p.Function, v.Reason)
			list = append(list, v.Name+" "+v.Type)
		}
	}
	return shape.ReplaceAllString(strings.Join(list, ", "), "T")
}

// sample is which part of the functions of a server are looked at: all of them
// take two minutes under the race detector.
const sample = 8

// TestManyFunctionsOfServers explains a part of all functions: no answer is an
// error, and of the parameters of functions with a frame 99.9 % are located.
func TestManyFunctionsOfServers(t *testing.T) {
	t.Parallel()
	for program := range programs {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			bin := server(t, program)
			functions, params, located := 0, 0, 0
			require.NoError(t, bin.Functions(func(fn binary.Function) bool {
				if functions++; functions%sample != 0 {
					return true
				}
				p := explain.Function(bin, &fn)
				require.Empty(t, p.Error, fn.Name)
				for _, v := range p.Variables {
					if p.Sites[0].Anchor != "push" {
						break
					}
					if params++; v.Readable || len(v.Where) > 0 {
						located++
					}
				}
				return true
			}))
			t.Logf("%d functions, %d parameters of functions with a frame in an eighth of them, %d located", functions, params, located)
			require.Greater(t, params, 1000)
			require.GreaterOrEqual(t, located*1000, params*999)
		})
	}
}

// TestLinesOfServers finds the first lines of many functions, with the variables
// in scope.
func TestLinesOfServers(t *testing.T) {
	t.Parallel()
	for program := range programs {
		t.Run(program, func(t *testing.T) {
			t.Parallel()
			bin := server(t, program)
			n, places := 0, 0
			require.NoError(t, bin.Functions(func(fn binary.Function) bool {
				if n++; n%2000 != 0 || fn.Line == 0 || fn.File == "<autogenerated>" {
					return true
				}
				found, err := bin.FindLine(fn.File, fn.Line+1)
				if missing := (*binary.LineNotFoundError)(nil); errors.As(err, &missing) {
					return true
				}
				require.NoError(t, err)
				for _, at := range found[:min(len(found), 4)] {
					_, err := bin.Scope(at, binary.Reach{})
					if err != nil {
						require.ErrorIs(t, err, binary.ErrNotDescribed)
						continue
					}
					places++
				}
				return true
			}))
			t.Logf("%d lines", places)
			require.Positive(t, places)
		})
	}
}
