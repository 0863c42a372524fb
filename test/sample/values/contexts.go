package main

import (
	"context"
	"time"
)

type key struct{}

//go:noinline
func contextBackground(ctx context.Context) { use(ctx) }

//go:noinline
func contextNil(ctx context.Context) { use(ctx) }

//go:noinline
func contextCancel(ctx context.Context) { use(ctx) }

//go:noinline
func contextDeadline(ctx context.Context) { use(ctx) }

//go:noinline
func contextValues(ctx context.Context, n int) { use(ctx); use(n) }

func init() {
	const s = "contexts"
	add(s, "main.contextBackground", func() { contextBackground(context.Background()) })
	add(s, "main.contextNil", func() { contextNil(nil) }) //nolint:staticcheck // it is what some programs do
	add(s, "main.contextCancel", func() {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		contextCancel(ctx)
	})
	add(s, "main.contextDeadline", func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		contextDeadline(ctx)
	})
	add(s, "main.contextValues", func() {
		ctx := context.WithValue(context.Background(), key{}, "value")
		contextValues(context.WithoutCancel(ctx), 1)
	})
}
