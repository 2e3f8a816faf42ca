package mysql

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/db"
	dialect "wherry/pkg/schema/mysql"
)

// TestTooOld: a server that is too old, or something else, is told as that by the first answer, and is asked nothing
// else.
func TestTooOld(t *testing.T) {
	for version, says := range map[string]string{
		"5.6.24": "MySQL 5.6.24 is too old; nothing was changed; upgrade to MySQL 5.7.8 or " +
			"MariaDB 10.3 at least",
		"5.7.7-rc-log":          "MySQL 5.7.7 is too old",
		"5.5.62":                "MySQL 5.5.62 is too old",
		"5.5.5-10.2.44-MariaDB": "MariaDB 10.2.44 is too old",
		"8.0.11-TiDB-v7.5.0": "is TiDB (8.0.11-TiDB-v7.5.0), which speaks MySQL's protocol and is not MySQL " +
			"or MariaDB",
		"8.0.30-Vitess":             "is Vitess",
		"5.7.25-OceanBase-v4.2.1.0": "is OceanBase",
		"5.0.45-Xpand-6.1.1":        "is MariaDB Xpand",
		"PostgreSQL 15.4":           "which is none of MySQL or MariaDB",
		"5.1.0":                     "MySQL 5.1.0 is too old",
	} {
		t.Run(version, func(t *testing.T) {
			e := eras[1]
			if _, err := dialect.ParseFlavor(version); err == nil {
				e.version = version
			}
			fake := playEra(t, e)
			fake.version = version
			for _, open := range []func() error{
				func() error { _, err := OpenSource(t.Context(), fake.config()); return err },
				func() error { _, err := OpenTarget(t.Context(), fake.config()); return err },
			} {
				err := open()
				require.ErrorIs(t, err, db.ErrUnsupported)
				require.ErrorContains(t, err, says)
				require.ErrorContains(t, err, "nothing was changed")
			}
			assert.Empty(t, fake.complaints())
			assert.Empty(t, slices.DeleteFunc(fake.heard(), func(s string) bool {
				return s == "SELECT VERSION()" || strings.HasPrefix(s, "SET SESSION sql_mode = ")
			}))
		})
	}
}

// TestProducts: servers of other kinds, and proxies, are told as what they are, before all else.
func TestProducts(t *testing.T) {
	for name, c := range map[string]struct {
		era    int // of eras: MySQL 8.0 or MariaDB 10.6
		shown  map[string]string
		behind int
		level  db.Level
		says   string
	}{
		"Aurora": {
			era: 1, shown: map[string]string{"aurora_version": "3.02.0"}, level: db.Fail,
			says: "is Amazon Aurora 3.02.0, whose",
		},
		"Galera": {
			era: 3, shown: map[string]string{"wsrep_on": "ON"}, level: db.Fail,
			says: "is a node of a Galera cluster",
		},
		"Percona": {
			era: 1, shown: map[string]string{"version_comment": "Percona Server (GPL), Release 28"},
			level: db.Warn, says: "is Percona Server (8.0.36)",
		},
		"Percona XtraDB": {era: 1, shown: map[string]string{
			"version_comment": "Percona XtraDB Cluster (GPL)",
			"wsrep_on":        "ON",
		}, level: db.Fail, says: "is a node of a Galera cluster"},
		"a proxy":          {era: 1, behind: 1000, level: db.Fail, says: "a proxy answers here"},
		"a proxy, MariaDB": {era: 3, behind: 1000, level: db.Fail, says: "a proxy answers here"},
		"MySQL": {era: 1, shown: map[string]string{
			"version_comment": "MySQL Community Server - GPL",
			"wsrep_on":        "OFF",
		}, level: db.OK, says: "MySQL 8.0.36"},
		"MariaDB": {era: 3, shown: map[string]string{
			"version_comment": "mariadb.org binary distribution",
			"wsrep_on":        "OFF",
		}, level: db.OK, says: "MariaDB 10.6.17"},
	} {
		t.Run(name, func(t *testing.T) {
			e := eras[c.era]
			e.shown, e.behind = c.shown, c.behind
			fake := playEra(t, e)
			s, err := OpenSource(t.Context(), fake.config())
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			found, err := s.Check(t.Context(), db.Plan{Fence: db.FenceReadOnly})
			require.NoError(t, err)
			at := slices.IndexFunc(found, func(f db.Finding) bool { return f.Level != db.OK || f.Check == "version" })
			require.GreaterOrEqual(t, at, 0)
			if c.behind != 0 {
				at = slices.IndexFunc(found, func(f db.Finding) bool { return f.Check == "proxy" })
				require.LessOrEqual(t, at, 1)
			}
			assert.Equal(t, c.level, found[at].Level)
			assert.Contains(t, found[at].What, c.says)
			assert.Equal(t, c.level == db.OK, found[at].Fix == "")
			assert.Empty(t, fake.complaints())
		})
	}
}

// TestNotMySQL: what calls itself MySQL and says in its comment what it is.
func TestNotMySQL(t *testing.T) {
	e := eras[1]
	e.shown = map[string]string{"version_comment": "SingleStoreDB source distribution (compatible; MySQL Enterprise " +
		"& MySQL Commercial)"}
	_, err := OpenSource(t.Context(), playEra(t, e).config())
	require.ErrorIs(t, err, db.ErrUnsupported)
	require.ErrorContains(t, err, "is SingleStore")
}

// TestReplicationGroup: a fence on a member that is not the group's only primary stops nothing on the others.
func TestReplicationGroup(t *testing.T) {
	for name, c := range map[string]struct {
		group []any
		fence db.FenceKind
		level db.Level
	}{
		"secondary":            {[]any{"0", "1", "3"}, db.FenceReadOnly, db.Fail},
		"secondary, locked":    {[]any{"0", "1", "3"}, db.FenceLockTables, db.Fail},
		"secondary with hook":  {[]any{"0", "1", "3"}, db.FenceHook, db.Warn},
		"one of two primaries": {[]any{"1", "2", "2"}, db.FenceReadOnly, db.Fail},
		"the primary":          {[]any{"1", "1", "3"}, db.FenceReadOnly, db.OK},
		"not joined":           {[]any{"0", "0", "0"}, db.FenceReadOnly, db.OK},
	} {
		t.Run(name, func(t *testing.T) {
			e := eras[1]
			e.variables = maps.Clone(e.variables)
			e.variables["group_replication_group_name"] = eraUUID
			e.group = c.group
			fake := playEra(t, e)
			s, err := OpenSource(t.Context(), fake.config())
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, s.Close()) })
			found, err := s.Check(t.Context(), db.Plan{Fence: c.fence})
			require.NoError(t, err)
			at := slices.IndexFunc(found, func(f db.Finding) bool { return f.Check == "group" })
			require.GreaterOrEqual(t, at, 0)
			assert.Equal(t, c.level, found[at].Level, found[at].What)
		})
	}
}
