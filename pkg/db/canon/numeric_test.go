package canon_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/pkg/db/canon"
)

func TestAppendNumericForm(t *testing.T) {
	for text, want := range map[string]string{ // as printed by PostgreSQL 15 for text::jsonb
		`0`: `0`, `-0`: `0`, `-0.0`: `0.0`, `1.50`: `1.50`, `1e3`: `1000`, `1.5e3`: `1500`, `1.5E-3`: `0.0015`,
		`1e+2`: `100`, `15e-1`: `1.5`, `1.50e1`: `15.0`, `0e5`: `0`, `0.0e-2`: `0.000`, `1e-7`: `0.0000001`,
		`12345678901234567890123`: `12345678901234567890123`, `-1e20`: `-100000000000000000000`,
		`0.12345678901234567890`: `0.12345678901234567890`, `[ ]`: `[]`, `[1,{}]`: `[1, {}]`,
		`{"bb":1, "a":[1.10,2e1],"a":{"c":"\u00e9\/\u0001"}}`: `{"a": {"c": "é/\u0001"}, "bb": 1}`,
		`{"broken"`: `{"broken"`,
	} {
		assert.Equal(t, want, string(canon.AppendNumericForm(nil, []byte(text))), text)
	}
}
