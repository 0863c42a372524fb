package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
	"unsafe"
)

// object is a value as a snapshot shows it.
type object map[string]any

// truth shows one value. It shares nothing with the code under test.
type truth struct {
	path map[visit]bool // what the value being shown lies in
}

type visit struct {
	typ  reflect.Type
	addr uintptr
}

func newTruth() *truth { return &truth{path: map[visit]bool{}} }

// open makes a field that is not exported usable like any other.
func open(v reflect.Value) reflect.Value {
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

// settable is v, or a copy of it that has an address.
func settable(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v
	}
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

func (t *truth) encode(v reflect.Value) object {
	v = settable(v)
	o := object{"type": typeName(v.Type())}
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		o["value"] = p.Format(time.RFC3339Nano)
		return o
	case *atomic.Int64:
		o["value"] = strconv.FormatInt(p.Load(), 10)
		return o
	case *atomic.Bool:
		o["value"] = strconv.FormatBool(p.Load())
		return o
	}
	switch v.Kind() {
	case reflect.String:
		o["value"] = v.String()
		if !utf8.ValidString(v.String()) {
			o["invalidUtf8"] = true
		}
	case reflect.Struct:
		o["fields"] = t.fields(v)
	case reflect.Array:
		o["size"], o["elements"] = strconv.Itoa(v.Len()), t.elements(v)
	case reflect.Slice:
		if v.IsNil() {
			return null(o)
		}
		o["size"], o["elements"] = strconv.Itoa(v.Len()), t.elements(v)
	case reflect.Map:
		if v.IsNil() {
			return null(o)
		}
		o["size"], o["entries"] = strconv.Itoa(v.Len()), t.entries(v)
	case reflect.Interface:
		if v.IsNil() {
			return null(o)
		}
		o["fields"] = map[string]any{"data": t.encode(v.Elem())}
	case reflect.Pointer:
		t.pointer(o, v)
	default:
		o["value"] = scalar(v)
	}
	return o
}

func null(o object) object {
	o["isNull"] = true
	return o
}

func address(a uintptr) string { return "0x" + strconv.FormatUint(uint64(a), 16) }

// pointer merges what the pointer leads to into its own object.
func (t *truth) pointer(o object, v reflect.Value) {
	if v.IsNil() {
		null(o)
		return
	}
	o["address"] = address(v.Pointer())
	here := visit{v.Type().Elem(), v.Pointer()}
	if t.path[here] {
		o["notCapturedReason"] = "circular reference"
		return
	}
	t.path[here] = true
	defer delete(t.path, here)
	for key, value := range t.encode(v.Elem()) {
		if key != "type" {
			o[key] = value
		}
	}
}

func (t *truth) fields(v reflect.Value) map[string]any {
	out := map[string]any{}
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		for n := 2; out[name] != nil; n++ {
			name = fmt.Sprintf("%s#%d", v.Type().Field(i).Name, n)
		}
		out[name] = t.encode(open(v.Field(i)))
	}
	return out
}

func (t *truth) elements(v reflect.Value) []any {
	out := make([]any, 0, v.Len())
	for i := range v.Len() {
		out = append(out, t.encode(v.Index(i)))
	}
	return out
}

func (t *truth) entries(v reflect.Value) []any {
	out := make([]any, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		out = append(out, []any{t.encode(it.Key()), t.encode(it.Value())})
	}
	return out
}

func scalar(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Uintptr:
		return address(uintptr(v.Uint()))
	case reflect.Float32, reflect.Float64:
		return float(v.Float(), v.Type().Bits())
	case reflect.Complex64, reflect.Complex128:
		half := v.Type().Bits() / 2
		im := float(imag(v.Complex()), half)
		if !strings.HasPrefix(im, "-") && !strings.HasPrefix(im, "+") {
			im = "+" + im
		}
		return "(" + float(real(v.Complex()), half) + im + "i)"
	}
	if v.CanUint() {
		return strconv.FormatUint(v.Uint(), 10)
	}
	return strconv.FormatInt(v.Int(), 10)
}

func float(x float64, bits int) string {
	if math.IsInf(x, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(x, 'f', -1, bits)
}

// typeName is the name with the whole path of each package.
func typeName(t reflect.Type) string {
	const short, long = "atomic.", "sync/atomic."
	return strings.ReplaceAll(strings.ReplaceAll(t.String(), long, short), short, long) // generic types have the long ones
}

// MarshalJSON writes bytes that are not text like a snapshot does.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(map[string]any(o))
	return b.Bytes(), err
}
