package state

import (
	"encoding/json"
	"fmt"
)

// migration rewrites the content of one version, as plain maps, into the next. It need not set version.
type migration func(map[string]any) error

// migrations says how to get from version n to n+1. Samples of every version stay in testdata for ever.
func migrations() map[int]migration {
	return map[int]migration{
		1: func(map[string]any) error { return nil }, // 2 adds rehearsal and reverse, both empty at first
		// 3 adds progress, and to phases attempts and codes; started was that of the first attempt.
		2: func(map[string]any) error { return nil },
	}
}

// migrate goes through JSON whatever the file's format is: the field names are the same in both.
func (c codec) migrate(data []byte, from, to int, steps map[int]migration) (*State, error) {
	var content map[string]any
	if err := c.unmarshal(data, &content, false); err != nil {
		return nil, err
	}
	for v := from; v < to; v++ {
		step, ok := steps[v]
		if !ok {
			return nil, fmt.Errorf("it has version %d, which no wherry wrote", v)
		}
		if err := step(content); err != nil {
			return nil, fmt.Errorf("migrate version %d: %w", v, err)
		}
		content["version"] = v + 1
	}
	migrated, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	s := &State{}
	return s, unmarshalJSON(migrated, s, true)
}
