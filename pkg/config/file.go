package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// layer is the settings of one origin: key -> value of the field's own type. Keys not set are absent.
type layer map[string]any

// reader turns one origin (a file, the environment, the flags) into a layer and collects what is wrong.
type reader struct {
	*problems
	origin string // file name, or "environment", or "flag"
	known  []string
	lines  map[string]int // where keys of a file stand; nil: not wanted
}

// note remembers the line that a key stands on, for `--print-config`.
func (r *reader) note(key string, line int) {
	if r.lines != nil {
		r.lines[key] = line
	}
}

// label names a key in an error: `wherry.yaml:12: copy.workers`, `flag: copy.workers`.
func (r *reader) label(key string, line int) string {
	if line > 0 && r.origin != "" {
		return fmt.Sprintf("%s:%d: %s", r.origin, line, key)
	}
	return r.origin + ": " + key
}

// file reads one YAML file.
func (r *reader) file(name string) layer {
	out := layer{}
	f, err := os.Open(name)
	if err != nil {
		r.addf("read config file: %w", err)
		return out
	}
	defer func() { _ = f.Close() }()
	r.document(f, out)
	return out
}

// document reads one YAML document; an empty one sets nothing. A second document in the file is refused: YAML tools
// would ignore it, and whoever wrote it believes that it counts.
func (r *reader) document(in io.Reader, out layer) {
	dec := yaml.NewDecoder(in)
	var doc yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return
	} else if err != nil {
		r.addf("%s: %s", r.origin, redactSyntax(err))
		return
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		r.addf("%s: more than one YAML document in the file", r.origin)
		return
	}
	root := doc.Content[0]
	if isNull(root) {
		return
	}
	r.section(root, reflect.TypeFor[Config](), "", out)
}

// redactSyntax hides what YAML errors quote: a password that begins with * is taken for an alias.
func redactSyntax(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	return regexp.MustCompile(`'[^']*'`).ReplaceAllString(text, "'"+redacted+"'")
}

// section reads the keys of a mapping that stands for struct t. A key without a value counts as not set.
func (r *reader) section(n *yaml.Node, t reflect.Type, path string, out layer) {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		r.wrongType(n, t, path)
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], resolve(n.Content[i+1])
		key := join(path, name.Value)
		child, ok := childOf(t, name.Value)
		switch {
		case !ok:
			r.addf("%s: unknown key%s", r.label(key, name.Line), didYouMean(key, slices.Concat(siblings(t, path),
				r.known)))
		case seen[name.Value]:
			r.addf("%s: given twice", r.label(key, name.Line))
		case isNull(value):
		default:
			r.value(value, child.typ, key, out)
		}
		seen[name.Value] = true
	}
}

// siblings are the full names of the keys of a section, which a misspelled one is compared with.
func siblings(t reflect.Type, path string) []string {
	var names []string
	for _, c := range children(t) {
		names = append(names, join(path, c.key))
	}
	return names
}

// childOf finds a key of a struct by its name in a file.
func childOf(t reflect.Type, name string) (field, bool) {
	for _, c := range children(t) {
		if c.key == name {
			return c, true
		}
	}
	return field{}, false
}

// value reads whatever type t asks for.
func (r *reader) value(n *yaml.Node, t reflect.Type, path string, out layer) {
	n = resolve(n)
	switch t.Kind() {
	case reflect.Struct:
		r.section(n, t, path, out)
	case reflect.Slice:
		r.list(n, t, path, out)
	default:
		r.scalar(n, t, path, out)
	}
}

// scalar reads a single value. Its type must be the key's type, see tagFits.
func (r *reader) scalar(n *yaml.Node, t reflect.Type, path string, out layer) {
	if n.Kind != yaml.ScalarNode || !tagFits(n, t) {
		r.wrongType(n, t, path)
		return
	}
	v, err := fromText(t, n.Value)
	if err != nil {
		r.wrongType(n, t, path)
		return
	}
	out[path] = v
	r.note(path, n.Line)
}

// list reads a list. Entries that are wrong are reported one by one, with their index; the list then has zero values in
// their places, which nobody sees, since Load returns no Config.
func (r *reader) list(n *yaml.Node, t reflect.Type, path string, out layer) {
	if n.Kind != yaml.SequenceNode {
		r.wrongType(n, t, path)
		return
	}
	list := reflect.MakeSlice(t, len(n.Content), len(n.Content))
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		parts := layer{}
		r.value(item, t.Elem(), at, parts)
		fill(list.Index(i), at, parts)
	}
	out[path] = list.Interface()
	r.note(path, n.Line)
}

// fill puts the values read for one list entry into it.
func fill(entry reflect.Value, path string, parts layer) {
	if v, ok := parts[path]; ok {
		entry.Set(reflect.ValueOf(v))
	}
	if entry.Kind() != reflect.Struct {
		return
	}
	for _, c := range children(entry.Type()) {
		if v, ok := parts[join(path, c.key)]; ok {
			entry.FieldByIndex(c.index).Set(reflect.ValueOf(v))
		}
	}
}
