package config

import "strings"

// kind is the type of a setting's value.
type kind int

const (
	kindString kind = iota
	kindBool
	kindInt
	kindDuration // text with a unit: 5m
	kindSize     // text with a unit: 5MB
	kindEnum
	kindStrings // list of strings
	kindObjects // list of objects with their own table
	kindJSON    // list of objects of any shape, kept as JSON
)

// name is the kind as a user reads it.
func (k kind) name() string {
	switch k {
	case kindString:
		return "string"
	case kindBool:
		return "true or false"
	case kindInt:
		return "integer"
	case kindDuration:
		return "duration"
	case kindSize:
		return "size"
	case kindEnum:
		return "enum"
	case kindStrings:
		return "list of strings"
	default:
		return "list of objects"
	}
}

// setting is one row of the table.
type setting struct {
	// key is the path in YAML: "serverless.heartbeat_interval"; inside an
	// object of a list it is the path from the object.
	key  string
	kind kind
	// at points to the field: *string, *bool, *int, *time.Duration, *[]string,
	// or *[]T for a list of objects.
	at func(root any) any
	// min and max bound kindInt, kindDuration and kindSize, both included.
	min, max int64
	// values are the allowed ones of kindEnum.
	values []string
	// doc is the manual: sentences, no line breaks.
	doc string
	// example is YAML for the value.
	example string
	secret  bool
	// aliases are other environment variables that set it, the strongest first.
	aliases []alias
	// words splits the text of kindStrings from the environment or a flag;
	// nil splits at commas, or at spaces where there is no comma.
	words func(text string) ([]string, error)
	// check refuses a value of the right type; both texts are empty for a good
	// one.
	check func(data any) (message, hint string)
	// list describes the objects of kindObjects.
	list *objectList
}

// objectList ties a list of objects to the Go type of its elements.
type objectList struct {
	// fields is the table of one object.
	fields []setting
	// element returns a pointer to a new object with its defaults.
	element func() any
	// store replaces the list at the pointer that setting.at returned.
	store func(list any, elements []any)
	// load returns a pointer to each element.
	load func(list any) []any
}

// of makes the accessor of a field from a typed function.
func of[T, V any](f func(*T) *V) func(any) any {
	return func(root any) any { return f(root.(*T)) }
}

// objects describes a list of T.
func objects[T any](element T, fields ...setting) *objectList {
	return &objectList{
		fields:  fields,
		element: func() any { e := element; return &e },
		store: func(list any, elements []any) {
			out := make([]T, len(elements))
			for i, e := range elements {
				out[i] = *e.(*T)
			}
			*list.(*[]T) = out
		},
		load: func(list any) []any {
			all := *list.(*[]T)
			out := make([]any, len(all))
			for i := range all {
				out[i] = &all[i]
			}
			return out
		},
	}
}

// name is the last part of the key.
func (s *setting) name() string { return s.key[strings.LastIndexByte(s.key, '.')+1:] }

// env is the variable generated from the key.
func (s *setting) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}

// bounded says whether min and max mean something.
func (s *setting) bounded() bool {
	return s.kind == kindInt || s.kind == kindDuration || s.kind == kindSize
}
