package mysql

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/wire/wiretest"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// TestDropThatWasNotCarriedOut kills wherry, so to say, after it has noted a DROP TABLE and before it sends it. The
// table stays the move's whatever is done to it next: also by statements after which the server tells another time of
// creation.
func TestDropThatWasNotCarriedOut(t *testing.T) {
	wiretest.Each(t, func(t *testing.T, s *wiretest.Server) {
		cfg := configOf(s)
		cfg.Move = "undropped"
		opened, err := OpenTarget(t.Context(), cfg)
		require.NoError(t, err)
		name := schema.Name{Database: "wherry_undropped_d", Table: "t"}
		clear := func() {
			for _, d := range []string{name.Database, Bookkeeping(cfg.Move)} {
				_, err := opened.admin.ExecContext(context.WithoutCancel(t.Context()),
					"DROP DATABASE IF EXISTS "+dialect.Quote(d))
				require.NoError(t, err)
			}
		}
		clear()
		t.Cleanup(func() { clear(); _ = opened.Close() })
		l := &ledger{t: opened, database: Bookkeeping(cfg.Move)}
		require.NoError(t, l.Create(t.Context()))
		require.NoError(t, l.Own(t.Context(), db.Owned{}, nil))
		run := func(statements ...string) {
			t.Helper()
			for _, s := range statements {
				require.NoError(t, opened.Execute(t.Context(), s), s)
			}
		}
		run("CREATE DATABASE "+dialect.Quote(name.Database),
			"CREATE TABLE "+dialect.Quoted(name)+" (id INT PRIMARY KEY, v INT)")
		for _, next := range []string{
			"ALTER TABLE " + dialect.Quoted(name) + " ADD COLUMN w INT FIRST", "ALTER TABLE " + dialect.Quoted(name) +
				" FORCE",
			"TRUNCATE TABLE " + dialect.Quoted(name),
		} {
			noted, _, _, err := l.notes(t.Context(), &touch{verb: "DROP", tables: []schema.Name{name}},
				db.Owned{name: db.Made})
			require.NoError(t, err)
			require.NoError(t, l.writeOwned(t.Context(), l.putOwned(noted)))
			require.NoError(t, l.Own(t.Context(), nil, nil)) // the next run begins
			time.Sleep(1100 * time.Millisecond)              // servers tell seconds
			run(next)
			owned, err := l.Owned(t.Context())
			require.NoError(t, err)
			assert.Equal(t, db.Owned{name: db.Made}, owned, next)
		}
		run("DROP TABLE " + dialect.Quoted(name))
	})
}
