package races

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/copy"
	"wherry/pkg/initschema"
	"wherry/pkg/plan"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	"wherry/test/internal/harness"
)

// TestExistingTables has tables on the target that are in the way for one reason each: all of them are told at once and
// nothing is changed. What is left of them when they are made right is taken, and completed after the rows.
func TestExistingTables(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		w := newWorld(t, source, target, "CREATE TABLE parent (id INT PRIMARY KEY)",
			"CREATE TABLE t (id INT PRIMARY KEY, u INT NULL, p INT NULL, UNIQUE KEY u (u), KEY p (p), CONSTRAINT f "+
				"FOREIGN KEY (p) REFERENCES parent (id))",
			"CREATE TABLE rows_in_it (id INT PRIMARY KEY)", "CREATE TABLE fires (id INT PRIMARY KEY)",
			"CREATE TABLE wider (id INT PRIMARY KEY)",
			"INSERT parent VALUES (1), (2)", "INSERT t VALUES (1, 1, 1), (2, 2, NULL), (3, 3, 2)",
			"INSERT wider VALUES (1)")
		w.look.Exec(t, "DROP DATABASE "+targetName, "CREATE DATABASE "+targetName+" CHARACTER SET utf8mb4 COLLATE "+
			"utf8mb4_general_ci")
		for _, s := range []string{
			// Of t's foreign key and plain index nothing is there yet; of a displaced parent's children none may go.
			"CREATE TABLE t (id INT PRIMARY KEY, u INT NULL, p INT NULL, UNIQUE KEY u (u))",
			"CREATE TABLE parent (id INT PRIMARY KEY)",
			"CREATE TABLE rows_in_it (id INT PRIMARY KEY)", "INSERT rows_in_it VALUES (7)",
			"CREATE TABLE fires (id INT PRIMARY KEY)",
			"CREATE TRIGGER fire AFTER INSERT ON fires FOR EACH ROW INSERT parent VALUES (NEW.id)",
			"CREATE TABLE wider (id INT PRIMARY KEY, more INT NULL)",
		} {
			target.Batch(t, targetName).Exec(t, s)
		}
		rules, err := route.NewRules([]string{sourceName + ".*"}, nil,
			[]route.Rename{{From: sourceName + ".*", To: targetName + ".*"}}, nil)
		require.NoError(t, err)
		planned, err := plan.Build(w.ctx, w.source, w.target.Dialect(), rules, plan.Options{})
		require.NoError(t, err)
		claimed := 0
		options := initschema.Options{
			Defer: true, Accept: true,
			Claim: func(ctx context.Context, _, taken []schema.Name) error {
				claimed++
				return w.claim(ctx, nil, taken)
			},
		}
		init := func() error { return initschema.New(w.target, planned.Steps, options).Run(w.ctx) }
		err = init()
		require.ErrorIs(t, err, initschema.ErrRefused)
		for _, says := range []string{
			"3 reasons", targetName + ".rows_in_it: is not empty",
			targetName + ".fires: has triggers, which would fire for every row that is copied or changed (fire)",
			targetName + ".wider: exists on the target but not as planned: column more: definition is int",
		} {
			require.ErrorContains(t, err, says)
		}
		assert.Zero(t, claimed)
		options.Accept = false
		require.ErrorContains(t, init(), targetName+".t: exists on the target, and this move did not make it")
		options.Accept = true

		for _, s := range []string{
			"DELETE FROM rows_in_it", "DROP TRIGGER fire",
			"ALTER TABLE wider DROP COLUMN more",
		} {
			target.Batch(t, targetName).Exec(t, s)
		}
		require.NoError(t, init())
		assert.Equal(t, 1, claimed)
		w.routes = planned.Routes
		w.moments.at = map[string]func(){"drain": func() {
			w.app.Exec(t, "UPDATE t SET u = NULL WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2")
		}}
		w.copy(copy.Options{Workers: 1, ChunkRows: 1})
		w.same()
		assert.Equal(t, 1, w.look.Number(t, "SELECT COUNT(*) FROM information_schema.REFERENTIAL_CONSTRAINTS "+
			"WHERE CONSTRAINT_NAME = 'f' AND CONSTRAINT_SCHEMA = '"+targetName+"'"))
		assert.Equal(t, 1, w.look.Number(t, "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE "+
			"INDEX_NAME = 'p' AND TABLE_SCHEMA = '"+targetName+"'"))
	})
}

// TestGivingWayFiresNothing displaces and removes rows of a parent whose children would go with them.
func TestGivingWayFiresNothing(t *testing.T) {
	harness.Each(t, harness.Alike, func(t *testing.T, source, target *harness.Server) {
		w := newWorldWith(t, source, target, present, uniqueTable, "INSERT t VALUES (1, 1, 'A'), (2, 2, 'B')")
		target.Batch(t, targetName).Exec(t, "CREATE TABLE child (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) "+
			"REFERENCES t (id) ON DELETE CASCADE ON UPDATE CASCADE)",
			"SET foreign_key_checks = 0; INSERT child VALUES (10, 1), (11, 2)")
		w.moments.at = map[string]func(){
			"loaded 0": func() { w.app.Exec(t, "UPDATE t SET u = 3 WHERE id = 1; UPDATE t SET u = 1 WHERE id = 2") },
			"loaded 1": func() {
				w.app.Exec(t, "DELETE FROM t WHERE id = 2; INSERT t VALUES (2, 9, 'again'); UPDATE t SET u = 1 "+
					"WHERE id = 1")
			},
		}
		w.copy(copy.Options{Workers: 1, ChunkRows: 1})
		w.same()
		assert.Equal(t, int64(1), w.moments.gaveWay)
		assert.Equal(t, 2, w.look.Number(t, "SELECT COUNT(*) FROM "+targetName+".child"),
			"children of rows that gave way")
	})
}
