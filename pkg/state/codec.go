package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// codec is one of the two formats of the file.
type codec struct {
	marshal   func(v any) ([]byte, error)
	unmarshal func(data []byte, v any, strict bool) error
}

// codecFor chooses by the ending of the path.
func codecFor(path string) (codec, error) {
	switch filepath.Ext(path) {
	case ".yaml", ".yml":
		return codec{marshal: marshalYAML, unmarshal: unmarshalYAML}, nil
	case ".json":
		return codec{marshal: marshalJSON, unmarshal: unmarshalJSON}, nil
	}
	return codec{}, fmt.Errorf("invalid state file name %q: want .yaml, .yml or .json", path)
}

// decode reads a file's content, brings an old version up to the current one, and refuses what it does not
// know: dropping it at the next write would lose it.
func (c codec) decode(path string, data []byte) (*State, error) {
	return c.decodeAs(path, data, CurrentVersion, migrations())
}

func (c codec) decodeAs(path string, data []byte, current int, steps map[int]migration) (*State, error) {
	s := &State{}
	strictErr := c.unmarshal(data, s, true)
	if strictErr == nil && s.Version == current {
		return s, nil
	}
	var probe struct {
		Version int `yaml:"version" json:"version"`
	}
	if err := c.unmarshal(data, &probe, false); err != nil {
		return nil, damaged(path, err)
	}
	if probe.Version > current {
		return nil, fmt.Errorf("%w: %s has version %d, this wherry knows up to %d: use the wherry that wrote it",
			ErrNewer, path, probe.Version, current)
	}
	if probe.Version == current {
		return nil, damaged(path, strictErr)
	}
	data, err := c.migrate(data, probe.Version, current, steps)
	if err != nil {
		return nil, damaged(path, err)
	}
	s = &State{}
	if err := c.unmarshal(data, s, true); err != nil {
		return nil, damaged(path, err)
	}
	return s, nil
}

// yamlEnd closes the document. YAML cut off at a line's end is still YAML; the marker tells.
const yamlEnd = "...\n"

func marshalYAML(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	if err := enc.Close(); err != nil {
		return nil, err
	}
	b.WriteString(yamlEnd)
	return b.Bytes(), nil
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

func marshalJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func unmarshalJSON(data []byte, v any, strict bool) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return errors.New("it is empty")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber() // migrations must not round row counts
	if strict {
		dec.DisallowUnknownFields()
	}
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the end")
	}
	return nil
}
