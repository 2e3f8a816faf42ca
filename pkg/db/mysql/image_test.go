package mysql

import (
	"encoding/hex"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire/wiretest"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// TestImageHash compares the hashes that a server computes of a row, and the sum of all rows, with those that are
// computed here of what it prints, for every type at its edges, with and without NULL.
func TestImageHash(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		const database = "wherry_image"
		c := s.Connect(t)
		c.Database(database)
		config := configOf(s)
		config.Move = "image"
		target, err := OpenTarget(t.Context(), config)
		require.NoError(t, err)
		t.Cleanup(func() { _ = target.Close() })
		columns := typeColumns(s.MariaDB, nil, rand.New(rand.NewPCG(4, 4)))
		random := rand.New(rand.NewPCG(5, 5))
		for i, column := range columns {
			name := "t" + strconv.Itoa(i)
			c.Exec("CREATE TABLE "+name+" (n INT NULL, v "+column.definition+" NULL)",
				"CREATE TABLE "+name+"_full (n INT NULL, v "+column.definition+" NOT NULL)")
			values := append([]string{"NULL"}, column.edges...)
			for range 4 {
				values = append(values, column.random(random))
			}
			for _, value := range values {
				_ = c.Try("INSERT INTO " + name + " VALUES (1, " + value + ")") // some are not for this server
				_ = c.Try("INSERT INTO " + name + "_full VALUES (1, " + value + ")")
			}
		}
		tables, err := target.Tables(t.Context(), func(n schema.Name) bool { return n.Database == database })
		require.NoError(t, err)
		for _, table := range tables {
			r, err := route.New(table, table, "")
			require.NoError(t, err)
			rel := &r.Target
			what := table.Columns[1].Type.Text + " " + table.Columns[1].Type.Charset
			rows, err := target.rows(t.Context(), "SELECT "+selectList(rel,
				allColumns(rel))+", "+imageHash(rel)+", "+digest(rel)+" FROM "+dialect.Quoted(rel.Name()))
			require.NoError(t, err, what)
			all, err := db.ReadAll(rows)
			require.NoError(t, err, what)
			require.Greater(t, len(all), 1, what)
			for _, row := range all {
				hash, _ := hashImage(rel, row[:2], nil)
				assert.Equal(t, hash, string(row[2]), "%s: %.200q", what, row[1])
				whole, _ := row[:2].Digest(nil)
				assert.Equal(t, hex.EncodeToString(whole[:]), string(row[3]), "%s: %.200q", what, row[1])
			}
			sameSum(t, target, rel, what)
		}
	})
}

// sameSum compares the sum that a server computes with the one of the rows that it prints.
func sameSum(t *testing.T, s *Target, rel *route.Relation, what string) {
	t.Helper()
	sum, err := s.Sum(t.Context(), rel, db.Range{})
	require.NoError(t, err, what)
	rows, err := s.Rows(t.Context(), rel, db.Range{})
	require.NoError(t, err, what)
	want, err := db.SumRows(rows)
	require.NoError(t, err, what)
	assert.Equal(t, want, sum, what)
}

// TestSumOfManyCharacterSets has columns of many character sets in one row, so that the server has to bring them
// together, and one row that is larger than a statement's longest value: it must not be taken for one with a NULL.
func TestSumOfManyCharacterSets(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		const database = "wherry_sums"
		c := s.Connect(t)
		c.Database(database)
		config := configOf(s)
		config.Move = "sums"
		target, err := OpenTarget(t.Context(), config)
		require.NoError(t, err)
		t.Cleanup(func() { _ = target.Close() })
		var columns, values, nulls []string
		for i, charset := range []string{
			"ucs2", "utf16", "utf32", "utf16le", "latin1", "cp1251", "gbk", "sjis",
			"cp932", "big5", "euckr", "utf8mb4",
		} {
			text := "CONVERT(_utf8mb4 X'4161C3A9' USING " + charset + ")"
			for _, null := range []string{"NULL", "NOT NULL"} {
				columns = append(columns, "c"+strconv.Itoa(i)+null[:3]+" VARCHAR(20) CHARACTER SET "+charset+" "+null,
					"e"+strconv.Itoa(i)+null[:3]+" ENUM('a', 'b') CHARACTER SET "+charset+" "+null)
				values = append(values, text, "'b'")
				if null == "NULL" {
					nulls = append(nulls, "NULL", "NULL")
				} else {
					nulls = append(nulls, text, "'a'")
				}
			}
		}
		c.Exec("CREATE TABLE t (id INT PRIMARY KEY, big LONGTEXT CHARACTER SET latin1, n DECIMAL(10,4), y YEAR "+
			"NOT NULL, "+strings.Join(columns, ", ")+")",
			"INSERT INTO t VALUES (1, NULL, NULL, 0, "+strings.Join(nulls, ", ")+"), (2, '', 1.5, 2024, "+
				strings.Join(values, ", ")+")")
		tables, err := target.Tables(t.Context(), func(n schema.Name) bool { return n.Database == database })
		require.NoError(t, err)
		r, err := route.New(tables[0], tables[0], "")
		require.NoError(t, err)
		sameSum(t, target, &r.Target, "all character sets")
		packet := c.Rows("SELECT @@GLOBAL.max_allowed_packet")[0][0]
		defer c.Exec("SET GLOBAL max_allowed_packet = " + string(packet))
		c.Exec("SET GLOBAL max_allowed_packet = 1048576")
		large := s.Connect(t)
		large.Exec("USE "+database, "INSERT INTO t SELECT 3, REPEAT('x', 1048500), 1, 0, "+strings.Join(values, ", "))
		small, err := OpenTarget(t.Context(), config)
		require.NoError(t, err)
		defer func() { _ = small.Close() }()
		sameSum(t, small, &r.Target, "a row that does not fit")
	})
}
