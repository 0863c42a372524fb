// Command shop is a small, ordinary Go service: an HTTP API over an in-memory
// shop, a log file, and customers that keep it busy. Nothing in it knows of
// vigil, which is the point: `make run` and the end-to-end tests watch it from
// the outside.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	logFile := flag.String("log", "", "file to log to (default: standard error)")
	rate := flag.Float64("rate", 20, "orders a second")
	flag.Parse()
	if err := run(*logFile, *rate); err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}

func run(logFile string, rate float64) error {
	out := os.Stderr
	if logFile != "" {
		file, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("open the log: %w", err)
		}
		defer file.Close()
		out = file
	}
	log := slog.New(slog.NewTextHandler(out, nil))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{Handler: newShop(log).routes(), ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Info("shop is open", "address", listener.Addr().String(), "pid", os.Getpid())

	customers := &customers{url: "http://" + listener.Addr().String(), log: log}
	customers.visit(ctx, time.Duration(float64(time.Second)/rate))

	if err := server.Close(); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	<-served
	log.Info("shop is closed")
	return nil
}
