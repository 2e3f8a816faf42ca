package config

import (
	"reflect"
	"slices"
	"strings"
	"time"
)

// field is one settable key: a leaf of Config.
type field struct {
	key   string
	typ   reflect.Type
	index []int // for reflect.Value.FieldByIndex
}

// env is the variable that sets the field: source.tls.mode -> WHERRY_SOURCE_TLS_MODE.
func (f field) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(f.key, ".", "_"))
}

// envPrefix begins every variable of wherry.
const envPrefix = "WHERRY_"

// fields lists every key of Config in the order of the struct.
func fields() []field { return leaves(reflect.TypeFor[Config](), "", nil) }

// leaves lists the keys below a struct, sections resolved. index leads to the struct from Config.
func leaves(t reflect.Type, prefix string, index []int) []field {
	var out []field
	for _, c := range children(t) {
		at := append(slices.Clone(index), c.index...)
		if isSection(c.typ) {
			out = append(out, leaves(c.typ, join(prefix, c.key), at)...)
			continue
		}
		out = append(out, field{key: join(prefix, c.key), typ: c.typ, index: at})
	}
	return out
}

// children lists the keys directly under a struct, those of a squashed struct included.
func children(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		tag := sf.Tag.Get("mapstructure")
		switch {
		case !sf.IsExported() || tag == "-":
		case tag == ",squash":
			for _, c := range children(sf.Type) {
				c.index = append([]int{i}, c.index...)
				out = append(out, c)
			}
		default:
			out = append(out, field{key: tag, typ: sf.Type, index: []int{i}})
		}
	}
	return out
}

// isSection tells sections from single values. Of the types in Config all structs are sections: sizes, durations and
// secrets are numbers and strings.
func isSection(t reflect.Type) bool { return t.Kind() == reflect.Struct }

// join makes the full name of a key: source and tls.mode give source.tls.mode.
func join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

// expected says in words what a value of type t looks like.
func expected(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Bytes]():
		return "a size such as 16MiB"
	case reflect.TypeFor[time.Duration]():
		return "a duration with a unit such as 500ms, 30s or 10m"
	}
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Uint32:
		return "a whole number"
	case reflect.Struct:
		return "a section of " + childNames(t)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return "a list of entries with " + childNames(t.Elem())
		}
		return "a list of text"
	default:
		return "text"
	}
}

// childNames lists the keys of a section, for an error about a value that should be one.
func childNames(t reflect.Type) string {
	var names []string
	for _, c := range children(t) {
		names = append(names, c.key)
	}
	return strings.Join(names, ", ")
}
