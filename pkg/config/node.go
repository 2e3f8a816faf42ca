package config

import (
	"fmt"
	"reflect"
	"time"

	"go.yaml.in/yaml/v3"
)

// tagFits keeps YAML from guessing: a number is not text, text is not a number. Example: `password: 0123` would become
// the number 83, and `user: true` a boolean; both must be quoted.
func tagFits(n *yaml.Node, t reflect.Type) bool {
	tag := n.ShortTag()
	switch {
	case t == reflect.TypeFor[Bytes]():
		return tag == "!!str" || tag == "!!int"
	case t == reflect.TypeFor[time.Duration]():
		return tag == "!!str" || n.Value == "0"
	case t.Kind() == reflect.Bool:
		return tag == "!!bool"
	case t.Kind() == reflect.String:
		return tag == "!!str"
	default:
		return tag == "!!int"
	}
}

// wrongType reports a value that is not of the key's type, with what was found and what is expected.
func (r *reader) wrongType(n *yaml.Node, t reflect.Type, path string) {
	hint := ""
	if t.Kind() == reflect.String && n.Kind == yaml.ScalarNode {
		hint = " (put it in quotes)"
	}
	if path == "" {
		path = "the file"
	}
	r.addf("%s: found %s, expected %s%s", r.label(path, n.Line), found(n, t), expected(t), hint)
}

// found says what stands in the file; the value of a secret is never repeated.
func found(n *yaml.Node, t reflect.Type) string {
	if n.Kind == yaml.MappingNode {
		return "a section"
	}
	if n.Kind == yaml.SequenceNode {
		return "a list"
	}
	names := map[string]string{
		"!!str": "text", "!!int": "number", "!!float": "number", "!!bool": "boolean",
		"!!timestamp": "date", "!!null": "nothing",
	}
	name := names[n.ShortTag()]
	if name == "" {
		name = "a value"
	}
	if t == reflect.TypeFor[Secret]() || isNull(n) {
		return name
	}
	return fmt.Sprintf("%s %q", name, n.Value)
}

// resolve follows an alias (*name) to what its anchor stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// isNull tells a key without a value, which counts as not set.
func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }
