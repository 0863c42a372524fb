package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"
)

// customers are the shop's traffic.
type customers struct {
	url    string
	log    *slog.Logger
	client http.Client
}

var (
	names = []string{"ada", "grace", "linus", "rob", "ken", "barbara"}
	items = []string{"tea", "coffee", "cocoa", "rye bread", "goat cheese", "plums"}
)

// visit orders something every interval until ctx ends.
func (c *customers) visit(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for id := int64(1); ; id++ {
		select {
		case <-ctx.Done():
			c.client.CloseIdleConnections()
			return
		case <-ticker.C:
		}
		if err := c.order(ctx, id); err != nil && ctx.Err() == nil {
			c.log.Error("customer gave up", "order", id, "error", err)
		}
	}
}

func (c *customers) order(ctx context.Context, id int64) error {
	order := Order{
		ID:       id,
		Customer: names[rand.IntN(len(names))],
		Total:    Money{Cents: rand.Int64N(20_000), Currency: "EUR"},
		Express:  rand.IntN(4) == 0,
	}
	for range 1 + rand.IntN(3) {
		order.Items = append(order.Items, items[rand.IntN(len(items))])
	}
	body, err := json.Marshal(order)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/orders", bytes.NewReader(body))
	if err != nil {
		return err
	}
	if rand.IntN(3) == 0 {
		request.Header.Set("Coupon", fmt.Sprintf("SAVE%d", 5*(1+rand.IntN(4))))
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}
