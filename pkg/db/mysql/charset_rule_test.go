package mysql

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/charset"
	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire/wiretest"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// inUTF8 returns the route of a table to one whose text is in UTF-8.
func inUTF8(t *testing.T, source *schema.Table) *route.Route {
	t.Helper()
	target := source.Clone()
	for i := range target.Columns {
		if c := &target.Columns[i]; c.Type.IsText() {
			c.Type.Charset, c.Type.Collation, c.Type.Encoded = "utf8mb4", "utf8mb4_bin", nil
		}
	}
	r, err := route.New(source, target, "")
	require.NoError(t, err)
	return r
}

// described reads a table of a source.
func described(t *testing.T, source *Source, name schema.Name) *schema.Table {
	t.Helper()
	tables, err := source.Tables(t.Context(), func(n schema.Name) bool { return n == name })
	require.NoError(t, err)
	require.Len(t, tables, 1)
	return tables[0]
}

// TestTextReadAsUTF8 reads tables in every character set for a target that has UTF-8: rows, ranges, keys and sums, by
// SELECT and from the log, are what the server itself converts them to.
func TestTextReadAsUTF8(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := s.Connect(t)
		c.Database("read_text")
		source, err := OpenSource(t.Context(), configOf(s))
		require.NoError(t, err)
		t.Cleanup(func() { _ = source.Close() })
		for _, name := range newCharacters(t, s).sets() {
			t.Run(name, func(t *testing.T) {
				c.T = t
				readText := schema.Name{Database: "read_text", Table: name}
				texts := textsIn(t, name)
				c.Exec("SET NAMES binary", fmt.Sprintf("CREATE TABLE read_text.%s (v TEXT CHARACTER SET %s, "+
					"k VARCHAR(20) CHARACTER SET %s NOT NULL, e ENUM ('a', 'B') CHARACTER SET %s, n INT NOT NULL, "+
					"PRIMARY KEY (k, n))", name, name, name, name))
				r := inUTF8(t, described(t, source, readText))
				from, err := source.Head(t.Context())
				require.NoError(t, err)
				values := make([]string, 0, len(texts))
				for i, text := range texts {
					code := "X'" + hex.EncodeToString(text) + "'"
					values = append(values, fmt.Sprintf("(%s, %s, %d, %d)", code, code, i%2+1, i))
				}
				c.Exec("INSERT INTO read_text." + name + " VALUES " + strings.Join(values, ", "))
				want := c.Rows("SELECT CONVERT(v USING utf8mb4), CONVERT(k USING utf8mb4), " +
					"CONVERT(e USING utf8mb4), n FROM read_text." + name + " ORDER BY k, n")
				require.Len(t, want, len(texts))
				rows := make([]db.Row, len(want))
				for i := range want {
					rows[i] = db.Row(want[i]).Clone()
				}
				readsAs(t, source, r, rows)
				assert.ElementsMatch(t, printedRows(rows), printedRows(logged(t, source, r, from, len(rows))))
			})
		}
	})
}

// textsIn returns texts of the characters that a set has.
func textsIn(t *testing.T, name string) (texts [][]byte) {
	t.Helper()
	set, ok := charset.Find(name)
	require.True(t, ok)
	all := []byte{}
	for _, r := range candidates {
		code, ok := set.Encode(nil, []byte(string(r)))
		if !ok || r < ' ' {
			continue
		}
		texts, all = append(texts, code), append(all, code...)
		if len(texts)%15 == 0 {
			texts, all = append(texts, all), nil
		}
	}
	return append(texts, []byte{})
}

// readsAs compares all ways to read rows of the source with the rows, which are in key order.
func readsAs(t *testing.T, source *Source, r *route.Route, rows []db.Row) {
	t.Helper()
	rel := &r.Source
	read := func(found db.Rows, err error) []string {
		require.NoError(t, err)
		all, err := db.ReadAll(found)
		require.NoError(t, err)
		return printedRows(all)
	}
	want := printedRows(rows)
	assert.Equal(t, want, read(source.Rows(t.Context(), rel, db.Range{})))
	keys := []db.Row{{[]byte("\U0010FFFD"), []byte("0")}} // which most sets lack
	if rel.Rules != nil {
		keys = append(keys, db.Row{[]byte("\xFF"), []byte("1")}) // which is no text
	}
	for _, row := range rows {
		keys = append(keys, row.Pick(rel.Key))
	}
	assert.ElementsMatch(t, want, read(source.Fetch(t.Context(), rel, keys)))
	assert.Empty(t, read(source.Fetch(t.Context(), rel, keys[:1])))
	sum, err := source.Sum(t.Context(), rel, db.Range{})
	require.NoError(t, err)
	here, err := db.SumRows(&listed{rows: rows})
	require.NoError(t, err)
	assert.Equal(t, here, sum)
	var after db.Row
	for at := 0; at < len(rows); {
		upto, err := source.Bound(t.Context(), rel, after, 7)
		require.NoError(t, err)
		part := want[at:]
		if upto != nil {
			part = want[at : at+7]
			assert.Equal(t, printedRows([]db.Row{rows[at+6].Pick(rel.Key)}), printedRows([]db.Row{upto}))
		}
		rng := db.Range{After: after, Upto: upto}
		assert.Equal(t, part, read(source.Rows(t.Context(), rel, rng)))
		sum, err := source.Sum(t.Context(), rel, rng)
		require.NoError(t, err)
		assert.Equal(t, int64(len(part)), sum.Rows)
		at, after = at+len(part), upto
	}
}

// listed is rows that are there.
type listed struct {
	noRows
	rows []db.Row
}

func (l *listed) Next() (db.Row, error) {
	if len(l.rows) == 0 {
		return l.noRows.Next()
	}
	row := l.rows[0]
	l.rows = l.rows[1:]
	return row, nil
}

func printedRows(rows []db.Row) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		out[i] = fmt.Sprintf("%q", row)
	}
	return out
}

// logged returns the rows that the log inserts after a position.
func logged(t *testing.T, source *Source, r *route.Route, from db.Position, n int) (rows []db.Row) {
	t.Helper()
	stream, err := source.Stream(t.Context(), from, []*route.Route{r}, nil)
	require.NoError(t, err)
	defer stream.Close()
	for deadline := time.Now().Add(20 * time.Second); len(rows) < n && time.Now().Before(deadline); {
		part, err := stream.Next(t.Context(), time.Second)
		require.NoError(t, err)
		if part == nil {
			continue
		}
		for _, change := range part.Changes {
			rows = append(rows, change.After.Clone())
		}
	}
	return rows
}

// TestTextThatCannotBeRead: a text that is none, or has a character in another form than its own, is refused with its
// table, key and column wherever it is read, and never replaced.
func TestTextThatCannotBeRead(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := s.Connect(t)
		c.Database("unreadable")
		source, err := OpenSource(t.Context(), configOf(s))
		require.NoError(t, err)
		t.Cleanup(func() { _ = source.Close() })
		for i, bad := range []struct{ set, code string }{
			{"cp1250", "6181"},
			{"greek", "ff"},
			{"cp932", "8790"},
			{"sjis", "815f"},
			{"ucs2", "d800"},
			{"big5", "a15a"},
		} {
			name := schema.Name{Database: "unreadable", Table: fmt.Sprintf("t%d", i)}
			c.Exec("SET NAMES binary", fmt.Sprintf("CREATE TABLE %s (id INT PRIMARY KEY, "+
				"v VARCHAR(9) CHARACTER SET %s)", name, bad.set))
			r := inUTF8(t, described(t, source, name))
			from, err := source.Head(t.Context())
			require.NoError(t, err)
			c.Exec(fmt.Sprintf("INSERT INTO %s VALUES (7, X'%s')", name, bad.code))
			refused := func(err error) {
				t.Helper()
				require.ErrorIs(t, err, db.ErrUnsupported, "%s %s", bad.set, bad.code)
				for _, part := range []string{"column v of " + name.String(), `id = "7"`, bad.set} {
					assert.ErrorContains(t, err, part)
				}
			}
			rows, err := source.Rows(t.Context(), &r.Source, db.Range{})
			require.NoError(t, err)
			_, err = db.ReadAll(rows)
			refused(err)
			_, err = source.Sum(t.Context(), &r.Source, db.Range{})
			refused(err)
			stream, err := source.Stream(t.Context(), from, []*route.Route{r}, nil)
			require.NoError(t, err)
			for err == nil {
				_, err = stream.Next(t.Context(), time.Second)
			}
			refused(err)
			assert.NoError(t, stream.Close())
		}
	})
}
