package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// yamlEnd closes the document. YAML cut off at a line's end is still YAML; the marker tells.
const yamlEnd = "...\n"

// marshalYAML writes what marshalJSON does, in YAML: both formats hold the same by construction. It builds the
// document itself because yaml/v3 v3.0.5 writes text such as "\n\t" as a block that it refuses to read.
func marshalYAML(s *State) ([]byte, error) {
	asJSON, err := marshalJSON(s)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(asJSON))
	dec.UseNumber()
	doc, err := nextNode(dec)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(doc); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	b.WriteString(yamlEnd)
	return b.Bytes(), nil
}

// nextNode turns the next JSON value into YAML; keys stay in their order. It returns nil at the end of the object or
// list that it is called inside of.
func nextNode(dec *json.Decoder) (*yaml.Node, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return collection(dec, yaml.MappingNode)
	case json.Delim('['):
		return collection(dec, yaml.SequenceNode)
	case json.Delim('}'), json.Delim(']'):
		return nil, nil
	}
	if text, ok := token.(string); ok {
		return stringNode(text), nil
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(token)}, nil
}

func collection(dec *json.Decoder, kind yaml.Kind) (*yaml.Node, error) {
	n := &yaml.Node{Kind: kind}
	for {
		child, err := nextNode(dec)
		if err != nil || child == nil {
			return n, err
		}
		n.Content = append(n.Content, child)
	}
}

func stringNode(text string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	switch {
	case !plainLines(text):
		n.Style = yaml.DoubleQuotedStyle
	case strings.Contains(text, "\n"):
		n.Style = yaml.LiteralStyle
	}
	return n
}

// plainLines is true for text that every style of YAML gives back: printable, and neither beginning nor ending
// with a blank or an empty line.
func plainLines(text string) bool {
	if strings.Trim(text, " \n") != text {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) })
}

func unmarshalYAML(data []byte, v any, strict bool) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("it is empty")
	}
	if !bytes.HasSuffix(data, []byte("\n"+yamlEnd)) {
		return errors.New(`its last line "..." is missing, so it was cut off`)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(strict)
	if err := dec.Decode(v); err != nil {
		return err
	}
	if err := dec.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		return errors.New("more than one document")
	}
	return nil
}
