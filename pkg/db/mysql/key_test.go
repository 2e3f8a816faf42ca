package mysql

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// relation makes a relation whose key is all of its columns, in order.
func relation(desc []bool, types ...schema.Type) *route.Relation {
	rel := &route.Relation{Table: &schema.Table{}, Desc: desc}
	for i, t := range types {
		rel.Table.Columns = append(rel.Table.Columns, schema.Column{Name: string(rune('a' + i)), Type: t})
		rel.Columns, rel.Key = append(rel.Columns, i), append(rel.Key, i)
	}
	return rel
}

func TestCondition(t *testing.T) {
	number, enum := schema.Type{Kind: schema.Integer}, schema.Type{Kind: schema.Enum, Labels: []string{"z", "y", "x"}}
	set := schema.Type{Kind: schema.Set, Labels: []string{"m", "n", "o"}, Encoded: [][]byte{
		[]byte("\x00m"),
		[]byte("\x00n"), []byte("\x00o"), []byte("\x00,"),
	}}
	many := schema.Type{Kind: schema.Enum, Labels: make([]string, enumList+1)}
	key := func(values ...string) (row db.Row) {
		for _, v := range values {
			row = append(row, []byte(v))
		}
		return row
	}
	for _, c := range []struct {
		rel  *route.Relation
		rng  db.Range
		want string
	}{
		{relation(nil, number), db.Range{}, ""},
		{relation(nil, number), db.Range{After: key("-1"), Upto: key("7")}, " WHERE `a` > -1 AND `a` <= 7"},
		{relation([]bool{true}, number), db.Range{After: key("7"), Upto: key("-1")}, " WHERE `a` < 7 AND `a` >= -1"},
		{
			relation(nil, number, number),
			db.Range{After: key("1", "2")},
			" WHERE (`a` >= 1 AND ((`a` > 1) OR (`a` = 1 AND `b` > 2)))",
		},
		{
			relation(nil, number, number),
			db.Range{Upto: key("1", "2")},
			" WHERE (`a` <= 1 AND ((`a` < 1) OR (`a` = 1 AND `b` <= 2)))",
		},
		{
			relation([]bool{false, true}, number, number),
			db.Range{After: key("1", "2")},
			" WHERE (`a` >= 1 AND ((`a` > 1) OR (`a` = 1 AND `b` < 2)))",
		},
		{
			relation([]bool{true, false}, number, number),
			db.Range{Upto: key("1", "2")},
			" WHERE (`a` >= 1 AND ((`a` > 1) OR (`a` = 1 AND `b` <= 2)))",
		},
		{relation(nil, enum), db.Range{After: key("y")}, " WHERE `a` IN (3)"},
		{relation(nil, enum), db.Range{After: key("x")}, " WHERE `a` < 0"},
		{relation(nil, enum), db.Range{After: key(""), Upto: key("y")}, " WHERE `a` IN (1,2,3) AND `a` IN (0,1,2)"},
		{relation(nil, many), db.Range{After: key("")}, " WHERE `a` > 0"},
		{
			relation(nil, enum, number),
			db.Range{After: key("y", "5")},
			" WHERE (`a` IN (2,3) AND ((`a` IN (3)) OR (`a` = 2 AND `b` > 5)))",
		},
		{relation(nil, set), db.Range{After: key("\x00m\x00,\x00o")}, " WHERE (`a` & 18446744073709551615) > 5"},
		{
			relation(nil, schema.Type{Kind: schema.Float}),
			db.Range{After: key("0.5"), Upto: key("1.5e30")},
			" WHERE `a` > 0.5e0 AND `a` <= 1.5e30",
		},
		{
			relation(nil, schema.Type{Kind: schema.Bit}),
			db.Range{After: key("\xff\xff\xff\xff\xff\xff\xff\xfe")},
			" WHERE `a` > 18446744073709551614",
		},
		{
			relation(nil, schema.Type{Kind: schema.Varchar, Charset: "gbk"}),
			db.Range{After: key("a'")},
			" WHERE `a` > _gbk X'6127'",
		},
		{relation(nil, schema.Type{Kind: schema.UUID}), db.Range{After: key("x")}, " WHERE `a` > _utf8mb4'x'"},
	} {
		assert.Equal(t, c.want, condition(c.rel, c.rng))
	}
}

// TestLabelNumber: all members of a full set, the last of which makes the number negative to the server, and no label.
func TestLabelNumber(t *testing.T) {
	full := schema.Type{Kind: schema.Set}
	var all []byte
	for i := range 64 {
		label := string([]byte{'a' + byte(i/8), 'a' + byte(i%8)})
		full.Labels = append(full.Labels, label)
		all = append(append(all, label...), ',')
	}
	all = all[:len(all)-1]
	assert.Equal(t, "-1", string(appendKey(nil, &full, all)))
	assert.Equal(t, "-9223372036854775808", string(appendKey(nil, &full, []byte("hh"))))
	assert.Equal(t, "3", string(appendKey(nil, &full, []byte("aa,ab"))))
	assert.Equal(t, "0", string(appendKey(nil, &full, []byte{})))
	enum := schema.Type{Kind: schema.Enum, Name: "enum", Labels: []string{"a", "A"}}
	assert.Equal(t, "2", string(appendKey(nil, &enum, []byte("A"))))
	assert.Equal(t, "0", string(appendKey(nil, &enum, []byte{})))
	assert.Equal(t, "`unknown enum label \"none\"`", string(appendKey(nil, &enum, []byte("none"))),
		"the server refuses that")
}
