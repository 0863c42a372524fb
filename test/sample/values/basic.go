package main

import (
	"math"
	"unsafe"
)

type celsius float64

type weekday uint8

//go:noinline
func basicBool(v bool) { use(v) }

//go:noinline
func basicInt(v int) { use(v) }

//go:noinline
func basicInt8(v int8) { use(v) }

//go:noinline
func basicInt16(v int16) { use(v) }

//go:noinline
func basicInt32(v int32) { use(v) }

//go:noinline
func basicInt64(v int64) { use(v) }

//go:noinline
func basicUint(v uint) { use(v) }

//go:noinline
func basicUint8(v uint8) { use(v) }

//go:noinline
func basicUint16(v uint16) { use(v) }

//go:noinline
func basicUint32(v uint32) { use(v) }

//go:noinline
func basicUint64(v uint64) { use(v) }

//go:noinline
func basicUintptr(v uintptr) { use(v) }

//go:noinline
func basicByte(v byte) { use(v) }

//go:noinline
func basicRune(v rune) { use(v) }

//go:noinline
func basicFloat32(v float32) { use(v) }

//go:noinline
func basicFloat64(v float64) { use(v) }

//go:noinline
func basicComplex64(v complex64) { use(v) }

//go:noinline
func basicComplex128(v complex128) { use(v) }

//go:noinline
func basicNamed(c *celsius, d weekday) { use(c); use(d) }

// Floating-point numbers in memory, unlike those in registers, can be read.
//
//go:noinline
func basicFloats(single *[4]float32, double *[7]float64) { use(single); use(double) }

//go:noinline
func basicComplexes(single *complex64, double *[3]complex128) { use(single); use(double) }

//go:noinline
func basicUnsafePointer(v, none unsafe.Pointer) { use(v); use(none) }

func init() {
	const s = "basic"
	add(s, "main.basicBool", func() { basicBool(true) })
	add(s, "main.basicInt", func() { basicInt(math.MinInt) })
	add(s, "main.basicInt8", func() { basicInt8(math.MinInt8) })
	add(s, "main.basicInt16", func() { basicInt16(math.MinInt16) })
	add(s, "main.basicInt32", func() { basicInt32(math.MinInt32) })
	add(s, "main.basicInt64", func() { basicInt64(-1) })
	add(s, "main.basicUint", func() { basicUint(math.MaxUint) })
	add(s, "main.basicUint8", func() { basicUint8(math.MaxUint8) })
	add(s, "main.basicUint16", func() { basicUint16(math.MaxUint16) })
	add(s, "main.basicUint32", func() { basicUint32(math.MaxUint32) })
	add(s, "main.basicUint64", func() { basicUint64(1) })
	add(s, "main.basicUintptr", func() { basicUintptr(0xbeef) })
	add(s, "main.basicByte", func() { basicByte('b') })
	add(s, "main.basicRune", func() { basicRune('ß') })
	add(s, "main.basicFloat32", func() { basicFloat32(1.5) })
	add(s, "main.basicFloat64", func() { basicFloat64(-2.25) })
	add(s, "main.basicComplex64", func() { basicComplex64(1 + 2i) })
	add(s, "main.basicComplex128", func() { basicComplex128(3 - 4i) })
	add(s, "main.basicNamed", func() {
		c := celsius(36.6)
		basicNamed(&c, 5)
	})
	add(s, "main.basicFloats", func() {
		negativeZero := math.Copysign(0, -1)
		basicFloats(&[4]float32{0.1, 16777216, math.SmallestNonzeroFloat32, math.MaxFloat32},
			&[7]float64{0, negativeZero, 1e21, 1e-7, math.NaN(), math.Inf(1), math.Inf(-1)})
	})
	add(s, "main.basicComplexes", func() {
		single := complex64(complex(0.5, -0.25))
		basicComplexes(&single, &[3]complex128{1 + 2i, complex(math.NaN(), math.Inf(-1)), 0})
	})
	add(s, "main.basicUnsafePointer", func() { basicUnsafePointer(unsafe.Pointer(new(int)), nil) })
}
