// Command shop is a program to put probes on. It runs the commands of its
// standard input, "order 3" or "crowd 1000", and answers each with "done".
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// Order is what the probed functions are given.
type Order struct {
	ID       int64
	Item     string
	Notes    []string
	Customer *Customer
	Password string
	Express  bool
}

// Customer is one pointer away from an order.
type Customer struct {
	Name  string
	Since time.Time
}

// Server has a method to probe.
type Server struct {
	Name  string
	total int
}

//go:noinline
func handle(order *Order, n int) int {
	return len(order.Item) + n
}

// Serve calls handle from a method, so that stacks have something to show.
//
//go:noinline
func (s *Server) Serve(order Order, prices map[string]int, err error) int {
	s.total += handle(&order, len(prices))
	return s.total
}

func main() {
	s := &Server{Name: "tea"}
	fmt.Println("ready")
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var command string
		var n int
		_, _ = fmt.Sscan(in.Text(), &command, &n)
		switch command {
		case "order":
			s.Serve(order(int64(n)), map[string]int{"tea": 3}, nil)
		case "crowd":
			crowd(n)
		case "exec":
			fmt.Println("done")
			again()
		}
		fmt.Println("done")
	}
}

func order(id int64) Order {
	return Order{
		ID: id, Item: "green tea", Notes: []string{"no sugar", strings.Repeat("x", 300)},
		Customer: &Customer{Name: "ada", Since: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		Password: "hunter2", Express: true,
	}
}

// crowd calls handle n times from several goroutines.
func crowd(n int) {
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			o := order(int64(g))
			for i := range n / 4 {
				handle(&o, i)
			}
		})
	}
	wg.Wait()
}
