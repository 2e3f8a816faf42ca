package config

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// errType is a value that is not of the key's type. Its text is never shown: wrongType says what was expected.
var errType = errors.New("wrong type")

// fromText reads one scalar that was written as text, without guessing.
func fromText(t reflect.Type, text string) (any, error) {
	switch t {
	case reflect.TypeFor[Bytes]():
		return ParseBytes(text)
	case reflect.TypeFor[time.Duration]():
		return time.ParseDuration(text)
	case reflect.TypeFor[Secret]():
		return Secret(text), nil
	}
	switch t.Kind() {
	case reflect.String:
		return text, nil
	case reflect.Bool:
		if text != "true" && text != "false" {
			return nil, errType
		}
		return text == "true", nil
	case reflect.Int:
		return strconv.Atoi(text)
	case reflect.Uint32:
		n, err := strconv.ParseUint(text, 10, 32)
		return uint32(n), err
	default:
		return nil, errType
	}
}

// setText puts one value from a variable or flag into the layer. Lists are YAML (`[a, b]`) or, for lists of
// text, comma-separated.
func (r *reader) setText(f field, text string, out layer) {
	if f.typ.Kind() == reflect.Slice {
		r.setListText(f, text, out)
		return
	}
	v, err := fromText(f.typ, text)
	if err != nil {
		r.addf("%s: found %s, expected %s", r.label(f.key, 0), quoteUnlessSecret(f.typ, text), expected(f.typ))
		return
	}
	out[f.key] = v
}

// setListText reads a list from a variable or flag: "a, b" for lists of text, YAML for all.
func (r *reader) setListText(f field, text string, out layer) {
	if f.typ.Elem().Kind() == reflect.String && !strings.HasPrefix(strings.TrimSpace(text), "[") {
		list := []string{}
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		out[f.key] = list
		return
	}
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) != 1 {
		r.addf("%s: found %q, expected %s", r.label(f.key, 0), text, expected(f.typ))
		return
	}
	r.value(doc.Content[0], f.typ, f.key, out)
}

// quoteUnlessSecret repeats a wrong value in an error, unless the key is a secret.
func quoteUnlessSecret(t reflect.Type, text string) string {
	if t == reflect.TypeFor[Secret]() {
		return "another kind of value"
	}
	return strconv.Quote(text)
}
