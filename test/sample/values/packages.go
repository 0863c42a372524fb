package main

import (
	"net/netip"
	"net/url"

	"github.com/vigil-agent/vigil/test/sample/values/shapes"
	shapes2 "github.com/vigil-agent/vigil/test/sample/values/shapes/v2"
)

//go:noinline
func packageBoth(first shapes.Shape, second *shapes2.Shape) { use(first); use(second) }

//go:noinline
func packageStandard(u *url.URL, a netip.Addr) { use(u); use(a) }

func init() {
	const s = "packages"
	const path = "github.com/vigil-agent/vigil/test/sample/values/shapes"
	add(s, path+".Describe", func() { use(shapes.Describe(shapes.Shape{Sides: 3})) })
	add(s, path+"/v2.Describe", func() { use(shapes2.Describe(shapes2.Shape{Sides: []float64{1, 2.5}, Name: "two"})) })
	add(s, "main.packageBoth", func() { packageBoth(shapes.Shape{Sides: 3}, &shapes2.Shape{Name: "two"}) })
	add(s, "main.packageStandard", func() {
		u, err := url.Parse("https://ada@example.com:443/path?q=1#part")
		if err != nil {
			panic(err)
		}
		packageStandard(u, netip.MustParseAddr("192.0.2.1"))
	})
}
