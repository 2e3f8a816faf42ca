package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

// TestAcross: families are one only when both are known.
func TestAcross(t *testing.T) {
	assert.False(t, schema.MySQL.Across(schema.MySQL))
	assert.False(t, schema.Family("other").Across("other"))
	for _, pair := range [][2]schema.Family{
		{schema.MySQL, schema.MariaDB}, {schema.MySQL, "other"}, {schema.MySQL, ""}, {"", schema.MySQL}, {"", ""},
	} {
		assert.True(t, pair[0].Across(pair[1]), pair)
	}
}

// TestFlavorRecords: what ledgers have keeps its form, and what they had is read.
func TestFlavorRecords(t *testing.T) {
	for text, flavor := range map[string]schema.Flavor{
		`{"MariaDB":false,"Version":90704}`:                {Family: schema.MySQL, Version: 90704},
		`{"MariaDB":true,"Version":101104}`:                {Family: schema.MariaDB, Version: 101104},
		`{"MariaDB":true,"Version":0}`:                     {Family: schema.MariaDB},
		`{"MariaDB":false,"Version":0}`:                    {},
		`{"MariaDB":false,"Version":0,"Family":"MySQL"}`:   {Family: schema.MySQL},
		`{"MariaDB":false,"Version":160000,"Family":"pg"}`: {Family: "pg", Version: 160000},
	} {
		var read schema.Flavor
		require.NoError(t, json.Unmarshal([]byte(text), &read))
		assert.Equal(t, flavor, read, text)
		written, err := json.Marshal(flavor)
		require.NoError(t, err)
		assert.JSONEq(t, text, string(written))
	}
}
