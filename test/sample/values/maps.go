package main

import "strconv"

type wide [200]byte

//go:noinline
func mapSmall(v map[string]int) { use(v) }

//go:noinline
func mapNil(v map[string]int) { use(v) }

//go:noinline
func mapEmpty(v map[string]int) { use(v) }

//go:noinline
func mapOne(v map[int]bool) { use(v) }

// As many as one group holds.
//
//go:noinline
func mapFullGroup(v map[int]int) { use(v) }

// Several groups and tables.
//
//go:noinline
func mapTables(v map[int]string) { use(v) }

// Most of its elements were removed again.
//
//go:noinline
func mapDeleted(v map[int]int) { use(v) }

// It has just grown.
//
//go:noinline
func mapGrowing(v map[int]uint8) { use(v) }

//go:noinline
func mapMassive(v map[int]int) { use(v) }

//go:noinline
func mapLargeKeys(v map[wide]uint8) { use(v) }

//go:noinline
func mapLargeValues(v map[uint8]wide) { use(v) }

//go:noinline
func mapLargeBoth(v map[wide]wide) { use(v) }

//go:noinline
func mapOfMaps(v map[string]map[string]int) { use(v) }

//go:noinline
func mapOfSlices(v map[string][]int) { use(v) }

//go:noinline
func mapOfLists(v map[string]*node) { use(v) }

//go:noinline
func mapOfStructs(v map[pair]base) { use(v) }

//go:noinline
func mapOfInterfaces(v map[string]any) { use(v) }

//go:noinline
func mapOfEmptyStructs(v map[string]struct{}) { use(v) }

//go:noinline
func mapInterfaceKeys(v map[any]int) { use(v) }

//go:noinline
func mapInStruct(v struct{ M map[uint16]string }) { use(v) }

func filled(n int) map[int]int {
	m := map[int]int{}
	for i := range n {
		m[i] = 2 * i
	}
	return m
}

func init() {
	const s = "maps"
	add(s, "main.mapSmall", func() { mapSmall(map[string]int{"one": 1, "two": 2, "three": 3}) })
	add(s, "main.mapNil", func() { mapNil(nil) })
	add(s, "main.mapEmpty", func() { mapEmpty(map[string]int{}) })
	add(s, "main.mapOne", func() { mapOne(map[int]bool{-1: true}) })
	add(s, "main.mapFullGroup", func() { mapFullGroup(filled(8)) })
	add(s, "main.mapTables", func() {
		m := map[int]string{}
		for i := range 30 {
			m[i] = strconv.Itoa(i)
		}
		mapTables(m)
	})
	add(s, "main.mapDeleted", func() {
		m := filled(2000)
		for i := range 1997 {
			delete(m, i)
		}
		mapDeleted(m)
	})
	add(s, "main.mapGrowing", func() {
		m := map[int]uint8{}
		for i := range 9 {
			m[i] = uint8(i)
		}
		mapGrowing(m)
	})
	add(s, "main.mapMassive", func() { mapMassive(filled(100_000)) })
	add(s, "main.mapLargeKeys", func() { mapLargeKeys(map[wide]uint8{{1}: 1}) })
	add(s, "main.mapLargeValues", func() { mapLargeValues(map[uint8]wide{1: {1}, 2: {2}}) })
	add(s, "main.mapLargeBoth", func() { mapLargeBoth(map[wide]wide{{1}: {2}}) })
	add(s, "main.mapOfMaps", func() { mapOfMaps(map[string]map[string]int{"a": {"b": 1}, "c": nil}) })
	add(s, "main.mapOfSlices", func() { mapOfSlices(map[string][]int{"a": {1, 2}, "b": nil}) })
	add(s, "main.mapOfLists", func() { mapOfLists(map[string]*node{"list": {1, &node{2, nil}}, "none": nil}) })
	add(s, "main.mapOfStructs", func() { mapOfStructs(map[pair]base{{1, 2}: {3, "three"}}) })
	add(s, "main.mapOfInterfaces", func() { mapOfInterfaces(map[string]any{"int": 1, "nil": nil, "pair": pair{1, 2}}) })
	add(s, "main.mapOfEmptyStructs", func() { mapOfEmptyStructs(map[string]struct{}{"a": {}, "b": {}}) })
	add(s, "main.mapInterfaceKeys", func() { mapInterfaceKeys(map[any]int{1: 1, "two": 2, pair{3, 3}: 3}) })
	add(s, "main.mapInStruct", func() { mapInStruct(struct{ M map[uint16]string }{map[uint16]string{80: "http"}}) })
}
