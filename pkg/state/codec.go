package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
)

// codec is one of the two formats of the file.
type codec struct {
	marshal   func(s *State) ([]byte, error)
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
	s, err := c.migrate(data, probe.Version, current, steps)
	if err != nil {
		return nil, damaged(path, err)
	}
	return s, nil
}

// replacement is an escape that the encoder wrote, and not text that reads like one: the backslash is not escaped.
var replacement = regexp.MustCompile(`[^\\](\\\\)*\\ufffd`)

func marshalJSON(s *State) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return nil, err
	}
	// What the encoder puts for bytes that are not UTF-8. The cheap search comes first: with thousands of tables the
	// expression takes a third of the time of writing them.
	if bytes.Contains(b.Bytes(), []byte(`\ufffd`)) && replacement.Match(b.Bytes()) {
		return nil, errors.New("text is not UTF-8")
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
