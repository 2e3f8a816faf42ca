package monitor

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

var errStreamEnded = errors.New("stream has ended")

// Stream writes what happens as JSON, one object a line, for programs. The last line is of type "summary" or "error".
// Its methods may be called by several goroutines at once.
type Stream struct {
	clock func() time.Time

	mu    sync.Mutex
	w     io.Writer
	ended bool
}

// NewStream returns a Stream that writes each line at once, by one call.
func NewStream(w io.Writer) *Stream { return &Stream{w: w, clock: time.Now} }

// Emit writes a line: "type" and "time", then the fields of a struct or of a map with string keys; nil has none. Fields
// named type or time give way to those.
func (s *Stream) Emit(kind string, fields any) error { return s.emit(kind, fields, false) }

// Summary writes the last line of a run that did what it should.
func (s *Stream) Summary(fields any) error { return s.emit("summary", fields, true) }

// Error writes the last line of a run that did not. What to run next is told by an error in the chain that has the
// method Next() string.
func (s *Stream) Error(code int, err error) error {
	line := struct {
		Code  int    `json:"code"`
		Error string `json:"error"`
		Next  string `json:"next,omitempty"`
	}{Code: code, Error: err.Error()}
	var next interface{ Next() string }
	if errors.As(err, &next) {
		line.Next = next.Next()
	}
	return s.emit("error", line, true)
}

// emit writes one line by one call, so that lines of several goroutines never mix. After the last line nothing follows:
// programs stop reading there.
func (s *Stream) emit(kind string, fields any, last bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return fmt.Errorf("write %s line: %w", kind, errStreamEnded)
	}
	// Encoded before it counts as the last line: fields that cannot be encoded must not end the stream.
	line, err := encodeLine(kind, s.clock(), fields)
	if err != nil {
		return fmt.Errorf("encode %s line: %w", kind, err)
	}
	s.ended = last
	if _, err := s.w.Write(line); err != nil {
		return fmt.Errorf("write %s line: %w", kind, err)
	}
	return nil
}

// encodeLine puts type and time before the fields, so that a person sees at once what a line is.
func encodeLine(kind string, now time.Time, fields any) ([]byte, error) {
	head := struct {
		Type string    `json:"type"`
		Time time.Time `json:"time"`
	}{kind, now.UTC().Truncate(time.Millisecond)}
	line, err := encode(head)
	if err != nil || fields == nil {
		return append(line, '\n'), err
	}
	body, err := encode(fields)
	if err != nil {
		return nil, err
	}
	line = line[:len(line)-1]
	if line, err = appendFields(line, body); err != nil {
		return nil, err
	}
	return append(line, '}', '\n'), nil
}

// appendFields adds the members of an object, in their order.
func appendFields(line, object []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil, errors.New("fields are no object")
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		// A line has each name once: programs differ in which of two members they take.
		if name == "type" || name == "time" {
			continue
		}
		key, err := encode(name)
		if err != nil {
			return nil, err
		}
		line = append(append(append(append(line, ','), key...), ':'), value...)
	}
	return line, nil
}

// encode leaves <, > and & as they are: this is read by no browser.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
