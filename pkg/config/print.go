package config

import (
	"fmt"
	"io"
	"reflect"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

// Print writes the effective configuration as YAML that Load understands, passwords shown as ***.
func (c *Config) Print(w io.Writer) error {
	shown := *c
	for _, e := range []*Endpoint{&shown.Source.Endpoint, &shown.Target} {
		if e.EnvPassword != "" {
			e.Password, e.PasswordFile, e.PasswordCommand = e.EnvPassword, "", "" // it wins over them
		}
	}
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(toNode(reflect.ValueOf(shown))); err != nil {
		return fmt.Errorf("print config: %w", err)
	}
	return enc.Close()
}

func toNode(v reflect.Value) *yaml.Node {
	switch v.Kind() {
	case reflect.Struct:
		return sectionNode(v)
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

func sectionNode(v reflect.Value) *yaml.Node {
	n := &yaml.Node{Kind: yaml.MappingNode}
	for _, c := range children(v.Type()) {
		name := &yaml.Node{Kind: yaml.ScalarNode, Value: c.key}
		n.Content = append(n.Content, name, toNode(v.FieldByIndex(c.index)))
	}
	return n
}

// stringNode goes through SetString, which quotes text that YAML would take for something else.
func stringNode(v reflect.Value) *yaml.Node {
	text := v.String()
	if s, ok := v.Interface().(Secret); ok {
		text = s.String()
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text, Style: quoting(text)}
}

func quoting(text string) yaml.Style {
	var n yaml.Node
	if err := yaml.Unmarshal([]byte(text), &n); err == nil && len(n.Content) == 1 &&
		n.Content[0].Kind == yaml.ScalarNode && n.Content[0].ShortTag() == "!!str" && n.Content[0].Value == text {
		return 0
	}
	return yaml.DoubleQuotedStyle
}

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
