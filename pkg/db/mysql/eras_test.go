package mysql

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	"wherry/pkg/db/mysql/binlog"
	"wherry/pkg/route"
	"wherry/pkg/schema"
	dialect "wherry/pkg/schema/mysql"
)

// Servers that are too old to be at hand are played: see eraServer, which refuses what the version did not know. What
// it prints was written by hand after the manuals, in the style of the version; rows and the log are the same for
// all.

// era is a version of a server, and what is told of the source by it.
type era struct {
	version   string
	print     []string // old and new, from how MySQL 8.0 prints the table to how this one does
	variables map[string]string
	grants    []string
	document  string // of {"a": 1e0}, as printed
	retention time.Duration
	fence     string   // what the fence will put back
	lacking   []string // fixes for an account that has USAGE only

	shown  map[string]string // session variables besides those that the version has
	behind int               // the server is behind a proxy that counts connections from so many less
	group  []any             // whether it is a primary of its replication group, the group's primaries, and its members
}

// eraCreate is the table as MySQL 8.0 prints it.
const eraCreate = "CREATE TABLE `orders` (\n  `id` int NOT NULL AUTO_INCREMENT,\n" +
	"  `name` varchar(40) CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci NOT NULL DEFAULT '',\n  `amount` " +
	"decimal(10,2) DEFAULT '0.00',\n" +
	"  `flags` tinyint unsigned NOT NULL DEFAULT '0',\n  `ratio` double DEFAULT NULL,\n  `doc` json DEFAULT NULL,\n  " +
	"`season` year DEFAULT NULL,\n" +
	"  `twice` int GENERATED ALWAYS AS ((`id` * 2)) VIRTUAL,\n  `made` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP " +
	"ON UPDATE CURRENT_TIMESTAMP,\n" +
	"  PRIMARY KEY (`id`),\n  KEY `name` (`name`(10)) USING BTREE\n) ENGINE=InnoDB AUTO_INCREMENT=3 DEFAULT " +
	"CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci\n" +
	"/*!50100 PARTITION BY RANGE (`id`)\n(PARTITION p0 VALUES LESS THAN (100) ENGINE = InnoDB,\n PARTITION p1 VALUES " +
	"LESS THAN MAXVALUE ENGINE = InnoDB) */"

// Widths of integers are gone since MySQL 8.0.19; utf8 is called utf8mb3 since MySQL 8.0.30 and MariaDB 10.6.1
// (release notes, MDEV-8334); MariaDB prints defaults without quotes since 10.2.2 (MDEV-10134) and the table's
// collation always since 10.3.37 (MDEV-29446).
var (
	eraWidths = []string{"int ", "int(11) ", "tinyint ", "tinyint(3) ", "`season` year ", "`season` year(4) "}
	eraUTF8   = []string{"utf8mb3", "utf8"}
	eraMaria  = []string{
		"'0.00'", "0.00", "'0'", "0", "((`id` * 2))", "(`id` * 2)", "CURRENT_TIMESTAMP", "current_timestamp()",
		"utf8mb4_0900_ai_ci", "utf8mb4_general_ci",
		"/*!50100 PARTITION", " PARTITION", ") */", ")", "PARTITION p0", "PARTITION `p0`", "PARTITION p1",
		"PARTITION `p1`",
		"`doc` json DEFAULT NULL", "`doc` longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin DEFAULT NULL CHECK " +
			"(json_valid(`doc`))",
	}
)

func eraJoin(lists ...[]string) (all []string) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

var eras = []era{
	{
		version: "5.7.44-log", print: eraJoin(eraWidths, eraUTF8, []string{
			" COLLATE=utf8mb4_0900_ai_ci", "",
			"RANGE (`id`)", "RANGE (id)",
		}),
		variables: map[string]string{
			"gtid_mode": "ON", "expire_logs_days": "7", "log_slave_updates": "ON",
			"super_read_only": "OFF",
		},
		grants: []string{"GRANT SELECT, RELOAD, SUPER, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT, SHOW " +
			"VIEW, EVENT, TRIGGER ON *.* TO 'wherry'@'%'"},
		document: `{"a": 1}`, retention: 7 * 24 * time.Hour, fence: "super_read_only=OFF read_only=OFF",
		lacking: []string{
			"REPLICATION SLAVE ON *.*", "REPLICATION CLIENT ON *.*", "SELECT ON `shop`.`orders`",
			"SUPER ON *.*", "SELECT ON `mysql`.`proc`",
		},
	},
	{
		version: "8.0.36",
		variables: map[string]string{
			"gtid_mode": "ON", "binlog_expire_logs_seconds": "2592000", "binlog_expire_logs_auto_purge": "ON",
			"expire_logs_days": "0", "log_slave_updates": "ON",
			"log_replica_updates": "ON", "super_read_only": "OFF", "binlog_row_metadata": "MINIMAL",
			"sql_generate_invisible_primary_key": "OFF",
		},
		grants: []string{
			"GRANT SELECT, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT, SHOW VIEW, EVENT, TRIGGER ON *.* TO " +
				"`wherry`@`%`",
			"GRANT SHOW_ROUTINE,SYSTEM_VARIABLES_ADMIN,XA_RECOVER_ADMIN ON *.* TO `wherry`@`%`",
		},
		document: `{"a": 1.0}`, retention: 30 * 24 * time.Hour, fence: "super_read_only=OFF read_only=OFF",
		lacking: []string{
			"REPLICATION SLAVE ON *.*", "REPLICATION CLIENT ON *.*", "SELECT ON `shop`.`orders`",
			"SYSTEM_VARIABLES_ADMIN ON *.*", "SHOW_ROUTINE ON *.*",
		},
	},
	{
		version: "5.5.5-10.3.39-MariaDB-log", print: eraJoin(eraWidths, eraUTF8, eraMaria),
		variables: map[string]string{"expire_logs_days": "10", "log_slave_updates": "ON"},
		grants: []string{"GRANT SELECT, RELOAD, SUPER, LOCK TABLES, REPLICATION SLAVE, REPLICATION CLIENT, SHOW " +
			"VIEW, EVENT, TRIGGER ON *.* TO 'wherry'@'%' IDENTIFIED BY PASSWORD '*1'"},
		document: `{"a": 1.0}`, retention: 10 * 24 * time.Hour, fence: "read_only=OFF",
		lacking: []string{
			"REPLICATION SLAVE ON *.*", "REPLICATION CLIENT ON *.*", "SELECT ON `shop`.`orders`",
			"SUPER ON *.*", "SELECT ON `mysql`.`proc`",
		},
	},
	{
		version: "10.6.17-MariaDB-log", print: eraJoin(eraWidths, eraMaria),
		variables: map[string]string{
			"expire_logs_days": "10.000000", "binlog_expire_logs_seconds": "864000",
			"log_slave_updates": "ON", "binlog_row_metadata": "NO_LOG",
		},
		grants: []string{"GRANT SELECT, LOCK TABLES, REPLICATION SLAVE, BINLOG MONITOR, SHOW VIEW, EVENT, TRIGGER, " +
			"READ_ONLY ADMIN, SLAVE MONITOR ON *.* TO `wherry`@`%` IDENTIFIED BY PASSWORD '*1'"},
		document: `{"a": 1.0}`, retention: 10 * 24 * time.Hour, fence: "read_only=OFF",
		lacking: []string{
			"REPLICATION SLAVE ON *.*", "BINLOG MONITOR ON *.*", "SELECT ON `shop`.`orders`",
			"READ_ONLY ADMIN ON *.*", "SELECT ON `mysql`.`proc`",
		},
	},
}

// TestEras runs what a source does on versions that are not at hand: none of them is sent what it does not know, and
// what it answers, and logs, is read rightly.
func TestEras(t *testing.T) {
	for _, e := range eras {
		t.Run(e.version, func(t *testing.T) {
			t.Parallel()
			fake := playEra(t, e)
			s, err := OpenSource(t.Context(), fake.config())
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			w := &eraWalk{T: t, era: e, fake: fake, s: s}
			w.identity()
			w.table()
			for _, step := range []func(){
				w.rows, w.positions, w.checks, w.lacking, w.fences, w.snapshots, w.objects,
				w.stream, w.continues,
			} {
				step()
			}
			assert.Empty(t, fake.complaints())
		})
	}
}

// eraWalk is one source's way through all that is asked of it.
type eraWalk struct {
	*testing.T
	era
	fake *eraServer
	s    *Source
	r    *route.Route
}

func (w *eraWalk) identity() {
	id, err := w.s.Identity(w.Context())
	require.NoError(w, err)
	assert.Equal(w, w.version, id.Version)
	assert.Less(w, id.Clock.Abs(), time.Minute)
	assert.Equal(w, int64(16<<20), id.Packet)
}

func (w *eraWalk) table() {
	tables, err := w.s.Tables(w.Context(), func(schema.Name) bool { return true })
	require.NoError(w, err)
	require.Len(w, tables, 1)
	assert.Empty(w, dialect.New(w.s.flavor, w.s.collations).Regenerates(tables[0]))
	assert.Equal(w, "utf8mb3", tables[0].Columns[1].Type.Charset)
	assert.Equal(w, "utf8mb3_unicode_ci", tables[0].Columns[1].Type.Collation)
	assert.True(w, tables[0].Columns[3].Type.Unsigned)
	w.r, err = route.New(tables[0], tables[0], "")
	require.NoError(w, err)
}

// row is the row in the table, without its generated column.
func (w *eraWalk) row() []string {
	return []string{"7", "ab", "1.50", "200", "1.5", w.document, "2024", "2023-11-14 22:13:20"}
}

func (w *eraWalk) same(row db.Row) {
	got := make([]string, len(row))
	for i, v := range row {
		got[i] = string(v)
	}
	assert.Equal(w, w.row(), got)
}

func (w *eraWalk) rows() {
	reads := []func() (db.Rows, error){
		func() (db.Rows, error) { return w.s.Rows(w.Context(), &w.r.Source, db.Range{}) },
		func() (db.Rows, error) { return w.s.Fetch(w.Context(), &w.r.Source, []db.Row{{[]byte("7")}}) },
	}
	for _, read := range reads {
		rows, err := read()
		require.NoError(w, err)
		found, err := db.ReadAll(rows)
		require.NoError(w, err)
		require.Len(w, found, 1)
		w.same(found[0])
	}
	bound, err := w.s.Bound(w.Context(), &w.r.Source, nil, 10)
	require.NoError(w, err)
	assert.Equal(w, db.Row{[]byte("7")}, bound)
	sum, err := w.s.Sum(w.Context(), &w.r.Source, db.Range{Upto: bound})
	require.NoError(w, err)
	assert.Equal(w, db.Sum{Rows: 1, Hash: "42"}, sum)
	_, err = w.s.Orphans(w.Context(), &w.r.Source, &w.r.Source, schema.ForeignKey{
		Columns:       []string{"flags"},
		ParentColumns: []string{"id"},
	}, 10)
	require.NoError(w, err)
}

func (w *eraWalk) positions() {
	head, err := w.s.Head(w.Context())
	require.NoError(w, err)
	assert.Contains(w, string(head), "file=mysql-bin.000002:700 server="+w.s.tag)
	assert.Contains(w, string(head), "gtid="+w.fake.gtid())
	require.NoError(w, w.s.Retained(w.Context(), head))
	require.NoError(w, w.s.Retained(w.Context(), binlog.FormatPosition(w.fake.gtid(), "", 0, "")))
	require.ErrorIs(w, w.s.Retained(w.Context(), binlog.FormatPosition("", "mysql-bin.000001", 4, w.s.tag)),
		db.ErrPositionGone)
	seen, err := w.s.Seen(w.Context())
	require.NoError(w, err)
	assert.Equal(w, binlog.FormatPosition(w.fake.gtid(), "", 0, ""), seen)
	kept, err := w.s.Retention(w.Context())
	require.NoError(w, err)
	assert.Equal(w, w.retention, kept)
	rotated, err := w.s.rotatedPosition(w.Context()) // as without GTIDs
	require.NoError(w, err)
	assert.NotEmpty(w, rotated)
}

func (w *eraWalk) plan() db.Plan {
	return db.Plan{Routes: []*route.Route{w.r}, Fence: db.FenceReadOnly, ObjectGroups: []string{
		"views", "triggers",
		"routines", "events",
	}}
}

func (w *eraWalk) checks() {
	findings, err := w.s.Check(w.Context(), w.plan())
	require.NoError(w, err)
	for _, f := range findings {
		if w.s.flavor.Family == schema.MariaDB && f.Check == "fence" {
			assert.Equal(w, db.Warn, f.Level, f.What) // no super_read_only
			continue
		}
		assert.Equal(w, db.OK, f.Level, "%s: %s %s; %s", f.Check, f.Subject, f.What, f.Fix)
	}
}

// lacking: an account that lacks privileges is told to be granted some that this version has.
func (w *eraWalk) lacking() {
	w.fake.grant("GRANT USAGE ON *.* TO 'wherry'@'%'")
	defer w.fake.grant(w.grants...)
	findings, err := w.s.Check(w.Context(), w.plan())
	require.NoError(w, err)
	var fixes []string
	for _, f := range findings {
		if f.Check == "privileges" {
			fixes = append(fixes, f.Fix)
		}
	}
	for _, want := range w.era.lacking {
		assert.Contains(w, fixes, "GRANT "+want+" TO 'wherry'@'%'")
	}
}

func (w *eraWalk) fences() {
	for _, kind := range []db.FenceKind{db.FenceReadOnly, db.FenceLockTables} {
		fence, err := w.s.NewFence(w.Context(), kind, []schema.Name{w.r.Source.Name()}, "")
		require.NoError(w, err)
		if kind == db.FenceReadOnly {
			assert.Equal(w, w.fence, fence.Saved())
			require.ErrorContains(w, fence.Holds(w.Context()), "turned it off")
		}
		require.NoError(w, fence.Raise(w.Context()))
		require.NoError(w, fence.Holds(w.Context()))
		require.NoError(w, fence.Lift(w.Context()))
	}
	require.NoError(w, w.s.AwaitPending(w.Context()))
	w.fake.replicate(true)
	defer w.fake.replicate(false)
	_, err := w.s.NewFence(w.Context(), db.FenceReadOnly, nil, "")
	require.ErrorContains(w, err, "a replica of 10.0.0.9:3306")
	require.NoError(w, w.s.AwaitPending(w.Context()))
}

func (w *eraWalk) snapshots() {
	view, err := w.s.Snapshot(w.Context(), &w.r.Source)
	require.NoError(w, err)
	assert.Contains(w, string(view.Position()), w.fake.gtid())
	rows, err := view.Rows(w.Context(), &w.r.Source, db.Range{})
	require.NoError(w, err)
	_, err = db.ReadAll(rows)
	require.NoError(w, err)
	require.NoError(w, view.Close())
}

func (w *eraWalk) objects() {
	found, err := w.s.Objects(w.Context(), func(schema.Name) bool { return true })
	require.NoError(w, err)
	var names []string
	for _, o := range found {
		assert.Empty(w, o.Hidden, o.String())
		names = append(names, string(o.Kind)+" "+o.Name.Table)
	}
	assert.Equal(w, []string{"view v", "trigger tr", "procedure pr", "event ev"}, names)
}

// stream: the row is read from the log as it is by SELECT. The table map says nothing but types, not even which
// numbers have no sign, and the GTID events have the old form.
func (w *eraWalk) stream() {
	pos, err := w.s.SafePosition(w.Context())
	require.NoError(w, err)
	stream, err := w.s.Stream(w.Context(), pos, []*route.Route{w.r}, nil)
	require.NoError(w, err)
	defer func() { assert.NoError(w, stream.Close()) }()
	part, err := stream.Next(w.Context(), time.Minute)
	require.NoError(w, err)
	require.NotNil(w, part)
	require.Len(w, part.Changes, 1)
	assert.Nil(w, part.Changes[0].Before)
	w.same(part.Changes[0].After)
	assert.True(w, part.End)
	assert.Contains(w, string(stream.Position()), w.fake.nextGTID())
}

// continues: another server's position is looked for by GTIDs.
func (w *eraWalk) continues() {
	ctx, cancel := context.WithTimeout(w.Context(), time.Minute)
	defer cancel()
	require.NoError(w, w.s.Continues(ctx, binlog.FormatPosition(w.fake.gtid(), "", 0, ""), nil))
	beyond := strings.NewReplacer("1-5", "1-6", "0-1-5", "0-1-6").Replace(w.fake.gtid())
	require.ErrorIs(w, w.s.Continues(ctx, binlog.FormatPosition(beyond, "", 0, ""), nil), db.ErrLost)
}
