package binlog

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire/wiretest"
	"wherry/pkg/route"
	"wherry/pkg/schema"
)

// TestStatementFormat has sessions log what they do as statements, each as the last word of a stream: rows of a
// routed table are never passed over, and those of others are.
func TestStatementFormat(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		c := s.Connect(t)
		c.Database("binlog_t_statements")
		c.Exec("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))",
			"CREATE TABLE other (id INT PRIMARY KEY, v VARCHAR(20))",
			"INSERT INTO t VALUES (1, 'a'), (2, 'b')", "INSERT INTO other VALUES (1, 'a'), (2, 'b')",
			"CREATE FUNCTION f() RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN UPDATE t SET v = 'by f'; "+
				"RETURN 1; END",
			"CREATE PROCEDURE p() BEGIN UPDATE t SET v = 'by p'; END",
			"CREATE TRIGGER other_bi BEFORE DELETE ON other FOR EACH ROW SET @x = 1")
		t.Cleanup(func() { c.Exec("SET SESSION binlog_format = ROW") })
		r := routeOf(c, "binlog_t_statements", "t")
		for name, statements := range map[string][]string{
			"insert":           {"INSERT INTO t VALUES (10, 'x')"},
			"insert select":    {"INSERT INTO t SELECT id + 100, v FROM other"},
			"insert duplicate": {"INSERT INTO t VALUES (1, 'x') ON DUPLICATE KEY UPDATE v = 'y'"},
			"replace":          {"REPLACE INTO t VALUES (1, 'r')"},
			"update":           {"UPDATE t SET v = 'z' WHERE id = 1"},
			"update of two":    {"UPDATE other, t SET t.v = other.v WHERE other.id = t.id"},
			"delete":           {"DELETE FROM t WHERE id = 10"},
			"delete of two":    {"DELETE other, t FROM other JOIN t USING (id) WHERE t.id = 100"},
			"quoted":           {"UPDATE `binlog_t_statements`.`t` SET v = 'q'"},
			"in a transaction": {"BEGIN", "UPDATE other SET v = 'o'", "UPDATE t SET v = 'o'", "COMMIT"},
			"after rows": {
				"SET SESSION binlog_format = ROW", "BEGIN", "UPDATE other SET v = 'rows'", "COMMIT",
				"SET SESSION binlog_format = STATEMENT", "UPDATE t SET v = 'mixed'",
			},
			"function":  {"DO f()"},
			"procedure": {"CALL p()"},
		} {
			t.Run(name, func(t *testing.T) {
				from := headOf(s, c)
				c.Exec("SET SESSION binlog_format = STATEMENT")
				c.Exec(statements...)
				c.Exec("SET SESSION binlog_format = ROW")
				stream := openLog(t, s, from, nil, r)
				err := awaitError(t, stream)
				require.ErrorIs(t, err, db.ErrUnsupported)
				require.ErrorContains(t, err, "statement format")
				at, perr := ParsePosition(stream.Position())
				require.NoError(t, perr)
				before, perr := reached(at, headOf(s, c))
				require.NoError(t, perr)
				assert.False(t, before, "the position stays before it")
			})
		}
		t.Run("of others", func(t *testing.T) {
			from := headOf(s, c)
			c.Exec("SET SESSION binlog_format = STATEMENT", "UPDATE other SET v = 'only t in text'",
				"DELETE FROM other WHERE id = 2", "SET SESSION binlog_format = ROW")
			eventually(t, openLog(t, s, from, nil, r), headOf(s, c))
		})
		t.Run("copied since", func(t *testing.T) {
			from := headOf(s, c)
			c.Exec("SET SESSION binlog_format = STATEMENT", "UPDATE t SET v = 'before the copy'",
				"SET SESSION binlog_format = ROW")
			since := headOf(s, c)
			c.Exec("INSERT INTO t VALUES (77, 'after')")
			opened := openLog(t, s, from, func(cfg *Config) { cfg.since = map[*route.Route]Position{r: since} }, r)
			assert.Equal(t, "+77 ;", changesText(take(t, opened, 1)))
		})
		t.Run("which table", func(t *testing.T) {
			from := headOf(s, c)
			c.Exec("SET SESSION binlog_format = STATEMENT", "UPDATE t SET v = 'again'",
				"SET SESSION binlog_format = ROW")
			var changed *db.CopyAgain
			err := awaitError(t, openLog(t, s, from, nil, r))
			require.ErrorAs(t, err, &changed)
			assert.Equal(t, []schema.Name{{Database: "binlog_t_statements", Table: "t"}}, changed.Tables)
			assert.ErrorContains(t, err, "wherry init-copy --table binlog_t_statements.t")
		})
	})
}

// awaitError reads a stream to the error that ends it.
func awaitError(t *testing.T, s *stream) error {
	t.Helper()
	for limit := time.Now().Add(time.Minute); time.Now().Before(limit); {
		if _, err := s.Next(t.Context(), 100*time.Millisecond); err != nil {
			return err
		}
	}
	require.FailNow(t, "no error")
	return nil
}
