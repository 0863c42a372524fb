package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"sync/atomic"
	"time"
)

// maxIndirections bounds how deep a value is, so that every type, also one that
// contains itself, has finite values.
const maxIndirections = 5

// filler makes one random value.
type filler struct {
	r *rand.Rand
	// budget is how many more values may be made: what one event holds.
	budget int
	size   int // most elements of a collection
	length int // most bytes of a string
	// made are the pointers so far, by type: one is used again at times, so that
	// values share parts and contain themselves.
	made map[reflect.Type][]reflect.Value
}

func newFiller(r *rand.Rand, big bool) *filler {
	f := &filler{r: r, budget: 60, size: 4, length: 40, made: map[reflect.Type][]reflect.Value{}}
	if big {
		f.budget, f.size, f.length = 1500, 150, 600
	}
	return f
}

func (f *filler) fill(v reflect.Value, depth int) {
	f.budget--
	if special(f.r, v) {
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(f.r.IntN(2) == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(int64(f.bits(v.Type().Bits())) >> (64 - v.Type().Bits()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(f.bits(v.Type().Bits()) >> (64 - v.Type().Bits()))
	case reflect.Float32, reflect.Float64:
		v.SetFloat(f.float(v.Type().Bits()))
	case reflect.Complex64, reflect.Complex128:
		v.SetComplex(complex(f.float(v.Type().Bits()/2), f.float(v.Type().Bits()/2)))
	case reflect.String:
		v.SetString(f.text())
	case reflect.Struct:
		for i := range v.NumField() {
			f.fill(open(v.Field(i)), depth)
		}
	case reflect.Array:
		for i := range v.Len() {
			f.fill(v.Index(i), depth)
		}
	default:
		f.refer(v, depth)
	}
}

// refer fills what leads somewhere else, or leaves it nil.
func (f *filler) refer(v reflect.Value, depth int) {
	if depth >= maxIndirections || f.budget < 0 || f.r.IntN(6) == 0 {
		return
	}
	depth++
	switch v.Kind() {
	case reflect.Pointer:
		if made := f.made[v.Type()]; len(made) > 0 && f.r.IntN(5) == 0 {
			v.Set(made[f.r.IntN(len(made))])
			return
		}
		p := reflect.New(v.Type().Elem())
		f.made[v.Type()] = append(f.made[v.Type()], p.Convert(v.Type()))
		f.fill(p.Elem(), depth)
		v.Set(p.Convert(v.Type()))
	case reflect.Slice:
		n := f.r.IntN(f.size + 1)
		s := reflect.MakeSlice(v.Type(), n, n+f.r.IntN(3))
		for i := range n {
			f.fill(s.Index(i), depth)
		}
		v.Set(s)
	case reflect.Map:
		m := reflect.MakeMap(v.Type())
		for range f.r.IntN(f.size + 1) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			if key.Kind() == reflect.Interface {
				choice := reflect.New(reflect.TypeOf(hashable[f.r.IntN(len(hashable))])).Elem()
				f.fill(choice, depth)
				key.Set(choice)
			} else {
				f.fill(key, depth)
			}
			f.fill(value, depth)
			m.SetMapIndex(key, value)
		}
		v.Set(m)
	case reflect.Interface:
		var choice any
		switch v.Type() {
		case reflect.TypeFor[error]():
			if f.r.IntN(3) == 0 {
				v.Set(reflect.ValueOf(fmt.Errorf("failed %d times: %w", f.r.IntN(100), errBase)))
				return
			}
			choice = failures[f.r.IntN(len(failures))]
		case reflect.TypeFor[measurer]():
			choice = measurers[f.r.IntN(len(measurers))]
		default:
			choice = held[f.r.IntN(len(held))]
		}
		value := reflect.New(reflect.TypeOf(choice)).Elem()
		f.fill(value, depth)
		v.Set(value)
	}
}

// special fills the types whose meaning is more than their fields.
func special(r *rand.Rand, v reflect.Value) bool {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		switch r.IntN(4) {
		case 0: // the zero time
		case 1:
			*p = time.Unix(r.Int64N(4e9), r.Int64N(1e9)).UTC()
		case 2:
			*p = time.Unix(r.Int64N(4e9), 0).In(time.FixedZone("CEST", 7200))
		case 3:
			*p = time.Now().Round(0).UTC()
		}
	case *atomic.Int64:
		p.Store(r.Int64())
	case *atomic.Bool:
		p.Store(r.IntN(2) == 1)
	default:
		return false
	}
	return true
}

// bits are interesting numbers as often as any number.
func (f *filler) bits(width int) uint64 {
	switch f.r.IntN(4) {
	case 0:
		return 0
	case 1:
		return math.MaxUint64
	case 2:
		return uint64(f.r.IntN(100)) << (64 - min(width, 64))
	}
	return f.r.Uint64()
}

func (f *filler) float(width int) float64 {
	x := [...]float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat32, 1e-30, f.r.NormFloat64(), float64(f.r.IntN(1000))}[f.r.IntN(9)]
	if width == 32 {
		return float64(float32(x))
	}
	return x
}

func (f *filler) text() string {
	alphabet := []rune("abcdefgh XYZ0123\"\\\n\té漢😀<&>\x00")
	runes := make([]rune, f.r.IntN(f.length/2))
	for i := range runes {
		runes[i] = alphabet[f.r.IntN(len(alphabet))]
	}
	return string(runes)
}
