package mysql

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// TestImageHash compares the hash that a server computes of a row with the one that is computed here of what it prints, for every
// type at its edges, and removes the row by it.
func TestImageHash(t *testing.T) {
	eachStreamServer(t, func(t *testing.T, s *streamServer) {
		const database = "wherry_image"
		c := s.connect(t)
		c.database(database)
		config := *s.config
		config.Move = "image"
		target, err := OpenTarget(t.Context(), config)
		require.NoError(t, err)
		t.Cleanup(func() { _ = target.Close() })
		columns := typeColumns(s.mariadb, nil, rand.New(rand.NewPCG(4, 4)))
		random := rand.New(rand.NewPCG(5, 5))
		for i, column := range columns {
			name := "t" + strconv.Itoa(i)
			c.exec("CREATE TABLE " + name + " (n INT NULL, v " + column.definition + " NULL)")
			values := append([]string{"NULL"}, column.edges...)
			for range 4 {
				values = append(values, column.random(random))
			}
			for _, value := range values {
				_ = c.try("INSERT INTO " + name + " VALUES (1, " + value + ")") // some are not for this server
			}
		}
		tables, err := target.Tables(t.Context(), func(n schema.Name) bool { return n.Database == database })
		require.NoError(t, err)
		for _, table := range tables {
			r, err := route.New(table, table, "")
			require.NoError(t, err)
			rel := &r.Target
			what := table.Columns[1].Type.Text + " " + table.Columns[1].Type.Charset
			rows, err := target.rows(t.Context(), "SELECT "+selectList(rel, allColumns(rel))+", "+imageHash(rel)+" FROM "+rel.Name().Quoted())
			require.NoError(t, err, what)
			all, err := db.ReadAll(rows)
			require.NoError(t, err, what)
			require.Greater(t, len(all), 2, what)
			for _, row := range all {
				hash, _ := hashImage(rel, row[:2], nil)
				assert.Equal(t, hash, string(row[2]), "%s: %.200q", what, row[1])
			}
		}
	})
}
