package config

import (
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const example = "../../config.example.yaml"

// exampleOwn are the keys without a usable default, for which the example shows something.
func exampleOwn() []string {
	return []string{"move", "source.host", "source.user", "target.host", "target.user", "tables.include"}
}

func TestExampleLoads(t *testing.T) {
	c, err := Load(Options{Files: []string{example}})
	require.NoError(t, err)
	assert.Empty(t, c.Warnings())
}

func TestExampleNamesEveryKeyWithItsDefault(t *testing.T) {
	found := &problems{}
	shown := (&reader{problems: found, origin: example}).file(example)
	require.NoError(t, found.err())
	defaults := reflect.ValueOf(Defaults())
	for _, f := range fields() {
		require.Contains(t, shown, f.key)
		byDefault := defaults.FieldByIndex(f.index).Interface()
		if slices.Contains(exampleOwn(), f.key) {
			assert.NotEqual(t, byDefault, shown[f.key], f.key)
			continue
		}
		assert.Equal(t, byDefault, shown[f.key], f.key)
	}
}
