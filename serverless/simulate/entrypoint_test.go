package simulate

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/vigil-agent/vigil/serverless/lifecycle"
)

// image is a small agent that does everything right, but for its behaviour.
type image struct {
	behaviour string
	metrics   net.Conn

	mu        sync.Mutex
	id        string
	counted   string // the id of the latest run event
	suspended bool
	ended     bool
	started   time.Time
}

func entrypoint(behaviour string) int {
	conn, err := net.Dial("udp", strings.TrimPrefix(os.Getenv("DD_DOGSTATSD_URL"), "udp://"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	i := &image{behaviour: behaviour, metrics: conn, started: time.Now()}
	signals := make(chan os.Signal, 1)
	switch behaviour {
	case "ignores-sigterm":
		signal.Ignore(syscall.SIGTERM)
	case "leaves-child":
		child := exec.Command("sleep", "60")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			return 1
		}
		signal.Notify(signals, syscall.SIGTERM)
	default:
		signal.Notify(signals, syscall.SIGTERM)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("DD_AWS_MICROVM_LIFECYCLE_PORT"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	go func() { _ = http.Serve(ln, i) }() //nolint:gosec // G114: a test's server needs no timeout
	<-signals
	return 0
}

func (i *image) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	hook, known := lifecycle.Route(r.URL.EscapedPath())
	if !known {
		http.Error(w, "no", cmp.Or(map[string]int{"any-path": 200}[i.behaviour], http.StatusNotFound))
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "no", cmp.Or(map[string]int{"any-method": 200}[i.behaviour], http.StatusMethodNotAllowed))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, lifecycle.MaxBodyBytes))
	if err != nil && i.behaviour != "any-size" {
		http.Error(w, "too large", http.StatusInternalServerError)
		return
	}
	w.WriteHeader(i.hook(hook, body, r))
}

// hook does the work of a hook and returns the status of the answer.
func (i *image) hook(hook lifecycle.Hook, body []byte, r *http.Request) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case hook == lifecycle.Ready && (i.behaviour == "never-ready" || time.Since(i.started) < 50*time.Millisecond):
		return 503
	case hook == lifecycle.Suspend && i.behaviour == "hangs-on-suspend":
		i.mu.Unlock()
		<-r.Context().Done()
		i.mu.Lock()
	case hook == lifecycle.Terminate && i.behaviour == "fails-terminate":
		return 500
	case hook == lifecycle.Resume && i.behaviour == "refuses-second-resume" && !i.suspended:
		return 409
	case hook == lifecycle.Run && i.behaviour == "dies-at-run":
		os.Exit(3)
	case hook == lifecycle.Validate && i.behaviour == "validate-504":
		return 504
	}
	switch hook {
	case lifecycle.Run:
		i.run(body)
	case lifecycle.Resume:
		i.resume()
	case lifecycle.Suspend:
		i.suspend()
	case lifecycle.Terminate:
		if !i.ended {
			i.event("terminate")
		}
		i.ended = true
	default:
		if i.behaviour == "counts-builds" {
			i.id = "mvm-build"
			i.beat()
		}
	}
	return 200
}

func (i *image) run(body []byte) {
	id, _ := lifecycle.ParseRun(body)
	if i.behaviour == "any-size" {
		id = "mvm-oversize"
	}
	if id == "" && i.behaviour == "sends-unknown" {
		i.send(heartbeatMetric + ":1|g|#microvm_id:unknown")
	}
	if id == "" || i.ended {
		return
	}
	if id != i.counted || i.behaviour == "counts-twice" {
		i.counted = id
		i.event("run")
	}
	if i.behaviour == "keeps-first-id" && i.id != "" {
		return
	}
	fresh := i.id != id
	i.id, i.suspended = id, false
	if fresh {
		i.beat()
	}
}

func (i *image) resume() {
	if (i.ended && i.behaviour != "no-latch") || (!i.suspended && !i.ended) {
		return
	}
	i.suspended = false
	i.event("resume")
	if i.behaviour != "silent-resume" {
		i.beat()
	}
}

func (i *image) suspend() {
	if !i.suspended || i.behaviour == "counts-twice" {
		i.event("suspend")
	}
	i.suspended = true
	if i.behaviour == "beats-on" {
		go func() {
			for range 20 {
				time.Sleep(100 * time.Millisecond)
				i.beat()
			}
		}()
	}
}

// beat sends a heartbeat; two-loops sends another one a little later.
func (i *image) beat() {
	if i.id == "" {
		return
	}
	text := heartbeatMetric + ":1|g|#microvm_id:" + i.id
	i.send(text)
	if i.behaviour == "two-loops" {
		time.AfterFunc(time.Second, func() { i.send(text) })
		time.AfterFunc(1200*time.Millisecond, func() { i.send(text) })
	}
}

func (i *image) event(hook string) {
	text := eventPrefix + hook + ":1|d"
	if i.id != "" || i.counted != "" {
		text += "|#lambda_microvm_id:" + cmp.Or(i.counted, i.id)
	}
	if i.behaviour == "flushes-late" {
		time.AfterFunc(500*time.Millisecond, func() { i.send(text) })
		return
	}
	i.send(text)
}

func (i *image) send(text string) {
	if i.behaviour == "no-agent" {
		return
	}
	_, _ = io.WriteString(i.metrics, text+"\n") // nobody may listen any more
}
