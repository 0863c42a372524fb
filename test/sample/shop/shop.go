package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"
)

// Order is what a customer sends.
type Order struct {
	ID       int64    `json:"id"`
	Customer string   `json:"customer"`
	Items    []string `json:"items"`
	Total    Money    `json:"total"`
	Express  bool     `json:"express"`
}

// Money is an amount in the smallest unit of its currency.
type Money struct {
	Cents    int64  `json:"cents"`
	Currency string `json:"currency"`
}

type shop struct {
	log    *slog.Logger
	orders atomic.Int64
}

func newShop(log *slog.Logger) *shop { return &shop{log: log} }

func (s *shop) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /orders", s.postOrder)
	mux.HandleFunc("GET /stock/{item}", s.getStock)
	return mux
}

func (s *shop) postOrder(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	var order Order
	if err := json.NewDecoder(r.Body).Decode(&order); err != nil {
		s.log.Error("order refused", "remote", r.RemoteAddr, "error", err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	receipt, err := s.checkout(&order, r.Header.Get("Coupon"), len(order.Items))
	if err != nil {
		s.log.Warn("payment failed", "order", order.ID, "customer", order.Customer, "error", err)
		http.Error(w, err.Error(), http.StatusPaymentRequired)
		return
	}
	s.log.Info("request", "method", r.Method, "path", r.URL.Path, "status", http.StatusOK, "remote", r.RemoteAddr, "took", time.Since(begin))
	fmt.Fprintln(w, receipt)
}

func (s *shop) getStock(w http.ResponseWriter, r *http.Request) {
	item := r.PathValue("item")
	s.log.Info("request", "method", r.Method, "path", r.URL.Path, "status", http.StatusOK, "remote", r.RemoteAddr)
	fmt.Fprintln(w, len(item)*7)
}

// checkout takes the money. It is the function that `make run` probes; the line
// it logs holds the same arguments, so that the two can be compared.
//
//go:noinline
func (s *shop) checkout(order *Order, coupon string, count int) (string, error) {
	s.log.Info("checkout", "order", order.ID, "customer", order.Customer, "cents", order.Total.Cents,
		"currency", order.Total.Currency, "express", order.Express, "coupon", coupon, "count", count)
	if order.Total.Cents <= 0 {
		return "", fmt.Errorf("order %d: nothing to pay", order.ID)
	}
	return fmt.Sprintf("receipt-%d-%d", order.ID, s.orders.Add(1)), nil
}
