package evolve

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
	"wherry/test/internal/lab"
)

// orders is a table as applications have it.
const orders = "CREATE TABLE %s.orders (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, customer INT NOT NULL, total " +
	"DECIMAL(8,2), note VARCHAR(40) NOT NULL DEFAULT '', KEY (customer))"

// startLoad writes rows with these columns, each in a transaction of its own, until it is stopped.
func (m *move) startLoad(t *testing.T, table string) *harness.Load {
	t.Helper()
	o := harness.Loaded{Seed: lab.Seed(t), Workers: 1, Pause: time.Millisecond}
	return harness.StartLoad(t, o, func(ctx context.Context, _ int, r *rand.Rand) error {
		n := r.IntN(100)
		statement := fmt.Sprintf("INSERT INTO %s (customer, note) VALUES (%d, 'n%d')", table, n, n)
		switch r.IntN(4) {
		case 0:
			statement = fmt.Sprintf("UPDATE %s SET customer = %d, note = CONCAT('u', customer) WHERE id %% 37 = "+
				"%d LIMIT 3", table, n, r.IntN(37))
		case 1:
			statement = fmt.Sprintf("DELETE FROM %s WHERE id %% 97 = %d LIMIT 1", table, r.IntN(97))
		}
		_, err := m.Source.DB.ExecContext(ctx, statement)
		return err
	})
}

// TestTools changes tables as gh-ost and pt-online-schema-change do, under load. They are followed without a new
// copy, whether the move includes what these tools make or only the table, and through a route and a row filter.
func TestTools(t *testing.T) {
	onPairs(t, func(t *testing.T, source, target *harness.Server) {
		for name, tool := range map[string]func(*testing.T, *move, string){"gh-ost": ghost, "pt-osc": ptosc} {
			t.Run(name, func(t *testing.T) { changeByTool(t, source, target, tool) })
		}
	})
}

// changeByTool lets a tool change three tables of one move, one after another.
func changeByTool(t *testing.T, source, target *harness.Server, tool func(*testing.T, *move, string)) {
	extra := extras(source, target)
	extra = append(extra, "routes: [{from: we_t_routed.orders, to: we_t_away.sales}]",
		`filters: [{table: we_t_routed.orders, where: "customer < 50"}]`)
	m := newMove(t, "we_t", source, target,
		harness.Options{Include: "we_t_m.*,we_t_wide.*,we_t_only.orders,we_t_routed.orders", Lines: extra})
	databases := []string{"we_t_wide", "we_t_only", "we_t_routed"}
	for _, database := range databases {
		m.Source.Exec(t, "CREATE DATABASE "+database+" CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
			fmt.Sprintf(orders, database),
			"INSERT INTO "+database+".orders (customer, total, note) WITH RECURSIVE s AS (SELECT 1 AS n UNION ALL "+
				"SELECT n + 1 FROM s WHERE n < 300) SELECT n % 100, n / 7, CONCAT('first ', n) FROM s")
	}
	m.must(t, "check", "init-schema", "init-copy")
	replica := m.Start(t, "start-replica")
	for _, database := range databases {
		l := m.startLoad(t, database+".orders")
		tool(t, m, database)
		time.Sleep(100 * time.Millisecond)
		l.Stop(t)
	}
	m.Followed(t, replica)
	m.equal(t, "we_t_wide")
	for _, c := range []struct{ database, into, table, where string }{
		{"we_t_only", "we_t_only", "orders", ""}, {"we_t_routed", "we_t_away", "sales", "customer < 50"},
	} {
		want, err := lab.Rows(t.Context(), m.Source.DB, c.database, "orders", c.where)
		require.NoError(t, err)
		got, err := lab.Rows(t.Context(), m.Target.DB, c.into, c.table, "")
		require.NoError(t, err)
		assert.Equal(t, want, got, c.database)
		assert.Greater(t, len(got), 100)
		assert.Equal(t, []string{c.table}, m.Target.Strings(t, "SELECT TABLE_NAME FROM information_schema.TABLES "+
			"WHERE TABLE_SCHEMA = ?", c.into), "what the tool made is gone")
		columns, err := lab.Columns(t.Context(), m.Target.DB, c.into, c.table)
		require.NoError(t, err)
		assert.Equal(t, "added", columns[2].Name)
	}
	m.must(t, "verify")
	replica.Interrupt(t)
}

// ghost is what gh-ost does (go/logic/applier.go, atomic cut-over), with the changes of the log applied in one go
// behind the lock.
func ghost(t *testing.T, m *move, database string) {
	at := func(statement string) string { return strings.ReplaceAll(statement, "{db}", database) }
	const shared = "`id`, `customer`, `note`"
	m.Source.Exec(t,
		at("DROP /* gh-ost */ TABLE IF EXISTS {db}.`_orders_gho`"),
		at("DROP /* gh-ost */ TABLE IF EXISTS {db}.`_orders_ghc`"),
		at("CREATE /* gh-ost */ TABLE {db}.`_orders_ghc` (id BIGINT UNSIGNED AUTO_INCREMENT, last_update TIMESTAMP "+
			"NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, hint VARCHAR(64) CHARSET ascii NOT "+
			"NULL, value VARCHAR(4096) CHARSET ascii NOT NULL, PRIMARY KEY(id), UNIQUE KEY hint_uidx(hint)) "+
			"AUTO_INCREMENT=256"),
		at("CREATE /* gh-ost */ TABLE {db}.`_orders_gho` LIKE {db}.`orders`"),
		at("ALTER /* gh-ost */ TABLE {db}.`_orders_gho` ADD COLUMN added VARCHAR(9) NOT NULL DEFAULT 'x' AFTER "+
			"customer, DROP COLUMN total, ADD KEY (note)"),
		at("INSERT /* gh-ost */ INTO {db}.`_orders_ghc` (id, hint, value) VALUES (2, 'state', 'GhostTableMigrated') "+
			"ON DUPLICATE KEY UPDATE last_update = NOW(), value = VALUES(value)"))
	for from := 0; from < 300; from += 50 {
		m.Source.Exec(t, fmt.Sprintf(at("INSERT /* gh-ost {db}.`orders` */ IGNORE INTO {db}.`_orders_gho` (%s) "+
			"(SELECT %s FROM {db}.`orders` FORCE INDEX (`PRIMARY`) WHERE id > %d AND id <= %d LOCK IN SHARE MODE)"),
			shared, shared, from, from+50),
			fmt.Sprintf(at("REPLACE /* gh-ost {db}.`_orders_gho` */ INTO {db}.`_orders_gho` (%s) SELECT %s FROM "+
				"{db}.`orders` WHERE id %% 13 = %d"), shared, shared, from%13))
	}
	locker, err := m.Source.DB.Conn(t.Context())
	require.NoError(t, err)
	defer locker.Close()
	require.NoError(t, lab.ExecAll(t.Context(), locker,
		at("CREATE /* gh-ost */ TABLE {db}.`_orders_del` (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB "+
			"COMMENT='ghost-cut-over-sentry'"),
		at("LOCK /* gh-ost */ TABLES {db}.`orders` WRITE, {db}.`_orders_del` WRITE, {db}.`_orders_gho` WRITE, "+
			"{db}.`orders` AS o WRITE"),
		fmt.Sprintf(at("REPLACE INTO {db}.`_orders_gho` (%s) SELECT %s FROM {db}.`orders` AS o"), shared, shared),
		at("DELETE FROM {db}.`_orders_gho` WHERE id NOT IN (SELECT id FROM {db}.`orders`)")))
	var renaming sync.WaitGroup
	renaming.Go(func() {
		_, err = m.Source.DB.ExecContext(t.Context(),
			at("RENAME /* gh-ost */ TABLE {db}.`orders` TO {db}.`_orders_del`, {db}.`_orders_gho` TO {db}.`orders`"))
	})
	require.True(t, lab.Until(func() bool {
		return m.Source.Text(t, "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE STATE LIKE 'Waiting "+
			"for table metadata lock%' AND INFO LIKE 'RENAME%'") != "0"
	}), "the rename does not wait")
	require.NoError(t, lab.ExecAll(t.Context(), locker, at("DROP /* gh-ost */ TABLE IF EXISTS {db}.`_orders_del`"),
		"UNLOCK TABLES"))
	renaming.Wait()
	require.NoError(t, err)
	m.Source.Exec(t, at("DROP /* gh-ost */ TABLE IF EXISTS {db}.`_orders_ghc`"),
		at("DROP /* gh-ost */ TABLE IF EXISTS {db}.`_orders_del`"))
}

// ptosc is what pt-online-schema-change does.
func ptosc(t *testing.T, m *move, database string) {
	at := func(statement string) string { return strings.ReplaceAll(statement, "{db}", database) }
	var name, definition string
	require.NoError(t, m.Source.DB.QueryRowContext(t.Context(), at("SHOW CREATE TABLE {db}.orders")).Scan(&name,
		&definition))
	m.Source.Exec(t,
		strings.Replace(definition, "CREATE TABLE `orders`", at("CREATE TABLE `{db}`.`_orders_new`"), 1),
		at("ALTER TABLE `{db}`.`_orders_new` ADD COLUMN added VARCHAR(9) NOT NULL DEFAULT 'x' AFTER customer, DROP "+
			"COLUMN total"),
		at("CREATE TRIGGER `{db}`.`pt_osc_orders_del` AFTER DELETE ON `{db}`.`orders` FOR EACH ROW DELETE IGNORE "+
			"FROM `{db}`.`_orders_new` WHERE `_orders_new`.`id` <=> OLD.`id`"),
		at("CREATE TRIGGER `{db}`.`pt_osc_orders_upd` AFTER UPDATE ON `{db}`.`orders` FOR EACH ROW REPLACE INTO "+
			"`{db}`.`_orders_new` (`id`, `customer`, `note`) VALUES (NEW.`id`, NEW.`customer`, NEW.`note`)"),
		at("CREATE TRIGGER `{db}`.`pt_osc_orders_ins` AFTER INSERT ON `{db}`.`orders` FOR EACH ROW REPLACE INTO "+
			"`{db}`.`_orders_new` (`id`, `customer`, `note`) VALUES (NEW.`id`, NEW.`customer`, NEW.`note`)"))
	for from := 0; from < 300; from += 50 {
		m.Source.Exec(t, fmt.Sprintf(at("INSERT LOW_PRIORITY IGNORE INTO `{db}`.`_orders_new` (`id`, `customer`, "+
			"`note`) SELECT `id`, `customer`, `note` FROM `{db}`.`orders` FORCE INDEX(`PRIMARY`) WHERE `id` > %d AND "+
			"`id` <= %d LOCK IN SHARE MODE /*pt-online-schema-change 4242 copy nibble*/"), from, from+50))
	}
	m.Source.Exec(t,
		at("ANALYZE TABLE `{db}`.`_orders_new` /* pt-online-schema-change */"),
		at("RENAME TABLE `{db}`.`orders` TO `{db}`.`_orders_old`, `{db}`.`_orders_new` TO `{db}`.`orders`"),
		at("DROP TRIGGER IF EXISTS `{db}`.`pt_osc_orders_del`"),
		at("DROP TRIGGER IF EXISTS `{db}`.`pt_osc_orders_upd`"),
		at("DROP TRIGGER IF EXISTS `{db}`.`pt_osc_orders_ins`"),
		at("DROP TABLE IF EXISTS `{db}`.`_orders_old`"))
}
