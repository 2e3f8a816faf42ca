package mysql

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db/canon"
	"wherry/pkg/db/mysql/wire/wiretest"
	"wherry/pkg/schema"
)

// normalTexts are JSON texts as MariaDB keeps them, with what MySQL takes for them besides.
var normalTexts = []string{
	`{"b":1.50, "a":2}`, ` [ 1 ,2,{"x" :null}, true,false ] `, `{}`, `[ ]`, `"x"`, `""`, `3`, `-0`, `-0.0`, `0.0`,
	`1.0`, `1.00`, `1.5`, `-1.50`, `1e2`, `1E+2`, `1.5e-7`, `0.1`, `100`,
	`18446744073709551615`, `18446744073709551616`, `-9223372036854775808`, `-9223372036854775809`,
	`123456789012345678901234567890.123456789`, `0.0000000000000000000000000000001`,
	`99999999999999999999999999999999999999999999999999999999999999999999`, `1e308`, `5e-324`,
	`{"a":1,"a":2,"b":{"c":1.10,"c":2.20}}`, `{"bb":1,"a":2,"":3,"ab":4,"é":5,"\u0061":6}`,
	`"\u00e9\/\"\\\b\f\n\r\t\u0001\ud83d\ude00"`, `"é😀"`, `{"k":[{"z":1,"y":[1.10,2.0]},"\u0000"]}`, `[[[[[]]]]]`,
	`{"0.5":1, "a b":2.50, "q\"q":3.10, "` + "\\u000a" + `":4.70}`, `[1.10,[2.20,{"x y":3.30}]]`,
	`1234567890.1234567890`, `0.30000000000000004`, `12345678901234567890.0`, `1e22`, `123456789012345680000`,
}

// randomDocumentText draws a JSON text as somebody may write it.
func randomDocumentText(r *rand.Rand, depth int) string {
	blank := func() string { return []string{"", "", " ", "\n\t"}[r.IntN(4)] }
	name := func() string {
		return []string{`"a"`, `"bb"`, `"\u0061"`, `"é"`, `"x y"`, `""`, `"B"`, `"q\"q"`}[r.IntN(8)]
	}
	switch n := r.IntN(9); {
	case n < 2 && depth < 4:
		var parts []string
		for range r.IntN(4) {
			parts = append(parts, blank()+name()+blank()+":"+randomDocumentText(r, depth+1))
		}
		return blank() + "{" + strings.Join(parts, ",") + blank() + "}" + blank()
	case n < 4 && depth < 4:
		var parts []string
		for range r.IntN(4) {
			parts = append(parts, randomDocumentText(r, depth+1))
		}
		return blank() + "[" + strings.Join(parts, ",") + blank() + "]" + blank()
	case n < 7:
		number := fmt.Sprint(r.IntN(2000) - 1000)
		switch r.IntN(5) {
		case 0:
			number += fmt.Sprintf(".%d", r.IntN(1000))
		case 1:
			number += fmt.Sprintf(".%d0", r.IntN(100))
		case 2:
			number += fmt.Sprintf("e%d", r.IntN(40)-20)
		case 3:
			number += strings.Repeat("7", r.IntN(25))
		}
		return blank() + number + blank()
	default:
		return blank() + normalTexts[r.IntN(len(normalTexts))] + blank()
	}
}

// TestNormalDocuments: a JSON text is read as MySQL prints the document that is written of it, and what MySQL prints
// is read as it is.
func TestNormalDocuments(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	texts := normalTexts
	for range 600 {
		texts = append(texts, randomDocumentText(r, 0))
	}
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		if s.MariaDB {
			return // it keeps JSON as text
		}
		c := s.Connect(t)
		c.Database("normal_documents")
		c.Exec("CREATE TABLE normal_documents.d (id INT PRIMARY KEY, v JSON)")
		var values []string
		for i, text := range texts {
			values = append(values, fmt.Sprintf("(%d, %s)", i, appendDocument(nil, canon.AppendForm(nil,
				[]byte(text), schema.JSON))))
		}
		c.Exec("INSERT INTO normal_documents.d VALUES " + strings.Join(values, ", "))
		printed := c.Rows("SELECT CAST(v AS CHAR CHARACTER SET utf8mb4) FROM normal_documents.d ORDER BY id")
		require.Len(t, printed, len(texts))
		for i, text := range texts {
			normal := canon.AppendForm(nil, []byte(text), schema.JSON)
			assert.Equal(t, string(printed[i][0]), string(normal), "%q", text)
			assert.Equal(t, string(normal), string(canon.AppendForm(nil, normal, schema.JSON)), "%q again", text)
		}
	})
}

// TestNormalRefuses: what MySQL does not take for JSON stays as it is, for the server to refuse.
func TestNormalRefuses(t *testing.T) {
	deep := strings.Repeat("[", 101) + strings.Repeat("]", 101)
	for _, text := range []string{
		"", " ", "{", `{"a":1,}`, "[1,]", "01", "1.", ".5", "+1", "1e", "-", "nul", `"\x"`,
		`"\ud800"`, `"\ud800\u0041"`, "\"\n\"", "1 2", `{"a" 1}`, "1e999", deep, `{a:1}`, "\"x",
	} {
		assert.Equal(t, text, string(canon.AppendForm(nil, []byte(text), schema.JSON)), text)
	}
}

// TestNormalAddresses: text is read as MariaDB's types of addresses and identifiers print it.
func TestNormalAddresses(t *testing.T) {
	cases := map[schema.Kind][]string{
		schema.UUID: {
			"123e4567-e89b-12d3-a456-426614174000", "123E4567E89B12D3A456426614174000",
			"123E4567-E89B-12D3-A456-426614174ABC",
		},
		schema.INET6: {
			"::", "::1", "2001:0DB8::FF00:0042:8329", "fe80:0:0:0:0:0:0:1", "::ffff:192.0.2.1",
			"::192.0.2.1", "FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF",
		},
		schema.INET4: {"0.0.0.0", "192.168.1.255"},
	}
	names := map[schema.Kind]string{schema.UUID: "UUID", schema.INET6: "INET6", schema.INET4: "INET4"}
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		if !s.MariaDB {
			return
		}
		c := s.Connect(t)
		c.Exec("SET NAMES utf8mb4")
		for kind, texts := range cases {
			for _, text := range texts {
				printed := c.Rows("SELECT CAST(CAST('" + text + "' AS " + names[kind] + ") AS CHAR)")
				assert.Equal(t, string(printed[0][0]), string(canon.AppendForm(nil, []byte(text), kind)), text)
			}
			assert.Equal(t, "other", string(canon.AppendForm(nil, []byte("other"), kind)))
		}
	})
}
