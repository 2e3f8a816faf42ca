package config

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// Entry is one key with its effective value and where that comes from: file:line, the name of a variable, a flag, or
// "default". Value is text, a bool, a number, or a list of texts or of maps; sizes and durations are text, as a file
// has them.
type Entry struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`
	Origin string `json:"origin"`
}

// Entries returns every key in the order of Config, without secrets.
func (c *Config) Entries() []Entry {
	shown, known := c.shown(), fields()
	all := make([]Entry, len(known))
	for i, f := range known {
		all[i] = Entry{
			Key: f.key, Value: plain(reflect.ValueOf(*shown).FieldByIndex(f.index), f.key),
			Origin: c.origin(f.key),
		}
	}
	return all
}

// origin is where a key's value comes from: file:line, a variable, a flag, or "default".
func (c *Config) origin(key string) string {
	if origin := c.origins[key]; origin != "" {
		return origin
	}
	return "default"
}

// shown is a copy in which a password from the environment has replaced the keys that it wins over. The copy is for
// printing only, where it appears as ***.
func (c *Config) shown() *Config {
	shown := *c
	for _, e := range []*Endpoint{&shown.Source.Endpoint, &shown.Target} {
		if e.EnvPassword != "" {
			e.Password, e.PasswordFile, e.PasswordCommand = e.EnvPassword, "", "" // it wins over them
		}
	}
	return &shown
}

// plain is a value as JSON has it.
func plain(v reflect.Value, key string) any {
	switch x := v.Interface().(type) {
	case Secret:
		return x.String()
	case string:
		return redactKey(key, x)
	case bool, int, uint32:
		return x
	case time.Duration, Bytes:
		return scalarText(v)
	}
	list := make([]any, 0, v.Len())
	for i := range v.Len() {
		item := v.Index(i)
		if item.Kind() != reflect.Struct {
			list = append(list, plain(item, key))
			continue
		}
		entry := map[string]any{}
		for _, c := range children(item.Type()) {
			entry[c.key] = plain(item.FieldByIndex(c.index), "")
		}
		list = append(list, entry)
	}
	return list
}

// Print writes the effective configuration as YAML that Load understands, passwords shown as ***, with the origin of
// each key as a comment.
func (c *Config) Print(w io.Writer) error {
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(c.sectionNode(reflect.ValueOf(*c.shown()), "")); err != nil {
		return fmt.Errorf("print config: %w", err)
	}
	return enc.Close()
}

// toNode turns a value into YAML, without an origin: entries of a list have that of the list.
func toNode(v reflect.Value) *yaml.Node {
	switch v.Kind() {
	case reflect.Struct: // an entry of a list
		n := &yaml.Node{Kind: yaml.MappingNode}
		for _, c := range children(v.Type()) {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: c.key},
				toNode(v.FieldByIndex(c.index)))
		}
		return n
	case reflect.Slice:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		if v.Len() == 0 {
			n.Style = yaml.FlowStyle
		}
		for i := range v.Len() {
			n.Content = append(n.Content, toNode(v.Index(i)))
		}
		return n
	case reflect.String:
		return stringNode(v)
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: scalarText(v)}
	}
}

// sectionNode writes a section.
func (c *Config) sectionNode(v reflect.Value, path string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, child := range children(v.Type()) {
		name, key, at := &yaml.Node{Kind: yaml.ScalarNode, Value: child.key}, join(path,
			child.key), v.FieldByIndex(child.index)
		if isSection(child.typ) {
			n.Content = append(n.Content, name, c.sectionNode(at, key))
			continue
		}
		value := toNode(at)
		if at.Type() == reflect.TypeFor[string]() {
			value = textNode(redactKey(key, at.String()))
		}
		if at.Kind() == reflect.Slice && at.Len() > 0 {
			name.HeadComment = c.origin(key)
		} else {
			value.LineComment = c.origin(key)
		}
		n.Content = append(n.Content, name, value)
	}
	return n
}

// stringNode writes text, and a Secret as ***.
func stringNode(v reflect.Value) *yaml.Node {
	text := v.String()
	if s, ok := v.Interface().(Secret); ok {
		text = s.String()
	}
	return textNode(text)
}

// textNode writes text in quotes if YAML would read it as something else without them.
func textNode(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Style: quoting(text)}
}

// quoting asks the YAML parser itself whether text needs quotes: "true", "1e3" and "a: b" do.
func quoting(text string) yaml.Style {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err == nil && len(n.Content) == 1 &&
		n.Content[0].Kind == yaml.ScalarNode && n.Content[0].ShortTag() == "!!str" && n.Content[0].Value == text {
		return 0
	}
	return yaml.DoubleQuotedStyle
}

// scalarText writes a value as a file has it: 16MiB and 30s, not 16777216 and 30000000000.
func scalarText(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return x.String()
	case Bytes:
		return x.String()
	case bool:
		return strconv.FormatBool(x)
	default:
		return fmt.Sprint(x)
	}
}
