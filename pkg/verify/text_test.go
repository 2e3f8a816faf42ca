package verify

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

func TestRender(t *testing.T) {
	kinds := []schema.Kind{schema.Integer, schema.Varchar, schema.Binary, schema.Datetime}
	rel := route.Relation{Table: &schema.Table{}}
	for i, k := range kinds {
		rel.Table.Columns = append(rel.Table.Columns, schema.Column{Type: schema.Type{Kind: k}})
		rel.Columns = append(rel.Columns, i)
	}
	for want, c := range map[string]struct {
		key    []int
		values db.Row
	}{
		"-5":                    {[]int{0}, db.Row{[]byte("-5")}},
		`'it\'s "a"\n\\'`:       {[]int{1}, db.Row{[]byte("it's \"a\"\n\\")}},
		"'日本'":                  {[]int{1}, db.Row{[]byte("日本")}},
		"0xe9":                  {[]int{1}, db.Row{{0xe9}}},
		"0x6100":                {[]int{2}, db.Row{[]byte("a\x00")}},
		"('2024-01-01', 7, '')": {[]int{3, 0, 1}, db.Row{[]byte("2024-01-01"), []byte("7"), {}}},
		"NULL":                  {[]int{1}, db.Row{nil}},
	} {
		rel.Key = c.key
		assert.Equal(t, want, render(&rel, c.values))
	}
}

func TestKeyText(t *testing.T) {
	rows := []db.Row{
		{nil},
		{{}},
		{[]byte("~")},
		{[]byte("a"), []byte("b")},
		{[]byte("ab"), {}},
		{{}, []byte("ab")},
		{nil, []byte("ab")},
		{[]byte("1:a"), []byte("b")},
	}
	seen := map[string]bool{}
	for _, r := range rows {
		assert.False(t, seen[keyText(r)], "%q", r)
		seen[keyText(r)] = true
	}
}
