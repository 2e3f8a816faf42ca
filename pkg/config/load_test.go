package config

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
)

const minimal = `
move: shop
source: {host: a, user: u}
target: {host: b, user: u}
tables: {include: ["shop.*"]}
`

func write(t testing.TB, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "wherry.yaml")
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func TestLoadFillsDefaults(t *testing.T) {
	c, err := Load(Options{Files: []string{write(t, minimal)}})
	require.NoError(t, err)
	want := Defaults()
	want.Move = "shop"
	want.Source.Host, want.Source.User, want.Source.role = "a", "u", "source"
	want.Target.Host, want.Target.User, want.Target.role = "b", "u", "target"
	want.Tables.Include = []string{"shop.*"}
	want.origins = c.origins
	assert.Equal(t, &want, c)
}

func TestLoadPrecedence(t *testing.T) {
	base := write(t, minimal+"copy: {workers: 5, chunk_rows: 7}\nroutes: [{from: shop.a, to: n.a}]\n")
	prod := write(t, "copy: {workers: 6}\ntables: {include: [x.y]}\n")
	env := []string{"WHERRY_COPY_WORKERS=7", "WHERRY_VERIFY_WORKERS=", "OTHER=1", "WHERRY_COPY_CHUNK_BYTES=1GiB"}
	cases := []struct {
		name    string
		opts    Options
		workers int
	}{
		{"file", Options{Files: []string{base}}, 5},
		{"later file", Options{Files: []string{base, prod}}, 6},
		{"environment", Options{Files: []string{base, prod}, Environ: env}, 7},
		{"flag", Options{Files: []string{base, prod}, Environ: env, Flags: map[string]any{"copy.workers": 8}}, 8},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			c, err := Load(tc.opts)
			require.NoError(t, err)
			assert.Equal(t, tc.workers, c.Copy.Workers)
			assert.Equal(t, 7, c.Copy.ChunkRows)
			assert.Equal(t, 4, c.Verify.Workers)
			assert.Equal(t, []Route{{From: "shop.a", To: "n.a"}}, c.Routes)
		})
	}
	c, err := Load(cases[3].opts)
	require.NoError(t, err)
	assert.Equal(t, []string{"x.y"}, c.Tables.Include)
	assert.Equal(t, GiB, c.Copy.ChunkBytes)
}

func TestEveryKeyHasItsOwnVariable(t *testing.T) {
	seen := map[string]string{}
	for _, f := range fields() {
		assert.Empty(t, seen[f.env()], f.key)
		seen[f.env()] = f.key
	}
	assert.Equal(t, "source.tls.mode", seen["WHERRY_SOURCE_TLS_MODE"])
	assert.Equal(t, "source.server_id", seen["WHERRY_SOURCE_SERVER_ID"])
}

func TestVariablesAndFlagsOfEveryType(t *testing.T) {
	c, err := Load(Options{
		Files: []string{write(t, minimal)},
		Environ: []string{
			"WHERRY_TABLES_INCLUDE=a.b, c.d", `WHERRY_TABLES_EXCLUDE=["e.f"]`, "WHERRY_COPY_DEFER_INDEXES=false",
			"WHERRY_ROUTES=[{from: a.b, to: c.d}]", "WHERRY_CUTOVER_TIMEOUT=1m", "WHERRY_SOURCE_SERVER_ID=4294967295",
		},
		Flags: map[string]any{
			"tables.exclude": []string{"g.h"}, "cutover.max_lag": 3 * time.Second, "log.level": "debug",
			"source.port": "3310", "copy.binlog_on_target": false, "replicate.batch_bytes": "1MB",
		},
	})
	require.NoError(t, err)
	assert.Equal(t, Tables{Include: []string{"a.b", "c.d"}, Exclude: []string{"g.h"}}, c.Tables)
	assert.Equal(t, []Route{{From: "a.b", To: "c.d"}}, c.Routes)
	assert.False(t, c.Copy.DeferIndexes)
	assert.False(t, c.Copy.BinlogOnTarget)
	assert.Equal(t, time.Minute, c.Cutover.Timeout)
	assert.Equal(t, 3*time.Second, c.Cutover.MaxLag)
	assert.Equal(t, uint32(4294967295), c.Source.ServerID)
	assert.Equal(t, 3310, c.Source.Port)
	assert.Equal(t, Bytes(1e6), c.Replicate.BatchBytes)
	assert.Equal(t, "debug", c.Log.Level)
}

func TestLoadRefuses(t *testing.T) {
	cases := []struct{ name, yaml, want string }{
		{"unknown key", "copy: {wrokers: 1}", "wherry.yaml:6: copy.wrokers: unknown key, did you mean copy.workers?"},
		{"unknown section", "coppy: {workers: 1}", "coppy: unknown key, did you mean copy?"},
		{"wrong section", "max_lag: 1s", "max_lag: unknown key, did you mean cutover.max_lag?"},
		{"capital letters", "Log: {level: info}", "Log: unknown key, did you mean log?"},
		{"dotted key", "log.level: info", "log.level: unknown key"},
		{"key of another section", "copy: {batch_rows: 1}", "copy.batch_rows: unknown key"},
		{"server_id on target", "target: {server_id: 1}", "target.server_id: unknown key"},
		{
			"key in a list", "routes: [{form: a.b, to: c.d}]",
			"routes[0].form: unknown key, did you mean routes[0].from?",
		},
		{"number is text", "copy: {workers: four}", `copy.workers: found text "four", expected a whole number`},
		{"quoted number", `copy: {workers: "4"}`, `copy.workers: found text "4", expected a whole number`},
		{"fraction", "copy: {workers: 1.5}", `copy.workers: found number "1.5", expected a whole number`},
		{"text is number", "log: {level: 3}", `log.level: found number "3", expected text (put it in quotes)`},
		{"boolean", "copy: {defer_indexes: yes}", `copy.defer_indexes: found text "yes", expected true or false`},
		{"duration without unit", "cutover: {timeout: 30}", `cutover.timeout: found number "30", expected a duration`},
		{"size", "copy: {chunk_bytes: 16 potatoes}", `copy.chunk_bytes: found text "16 potatoes", expected a size`},
		{"section is text", "copy: 4", `copy: found number "4", expected a section of workers, chunk_rows`},
		{"list is text", "routes: shop", `routes: found text "shop", expected a list of entries with from, to`},
		{"list in list", "routes: [[a]]", "routes[0]: found a list, expected a section of from, to"},
		{"secret not shown", "source: {password: 31415}", "source.password: found number, expected text (put it in " +
			"quotes)"},
		{"alias not shown", "source: {password: *hunter2}", "unknown anchor '***' referenced"},
		{"twice", "log: {level: info, level: warn}", "log.level: given twice"},
		{"two documents", "log: {}\n---\nlog: {}", "more than one YAML document"},
		{"not yaml", "copy: {", "wherry.yaml: "},
		{"move", "move: Shop", `move: "Shop" does not fit, expected 1 to 40 of a-z, 0-9 and _`},
		{"state", "state: x.txt", `state: "x.txt" does not fit`},
		{"engine", "source: {engine: postgres}", "source.engine: PostgreSQL is a target only"},
		{
			"types without PostgreSQL", "schema: {types: [{of: enum, as: varchar}]}",
			"schema: types, fulltext and materialize are for a target of engine postgres",
		},
		{
			"half a type", "target: {engine: postgres, database: app}\nschema: {types: [{of: enum}]}",
			"schema.types[0]: of and as are both required",
		},
		{"no database", "target: {engine: postgres}", "target.database: required with engine postgres"},
		{
			"engine unknown", "source: {engine: oracle}",
			`source.engine: "oracle" does not fit, expected mysql, postgres`,
		},
		{"tls", "source: {tls: {mode: on}}", `source.tls.mode: "on" does not fit, expected disabled, preferred`},
		{"tls pair", "source: {tls: {cert: x}}", "source.tls: cert and key go together"},
		{"port", "source: {port: 70000}", "source.port: 70000 is out of range, expected 1 to 65535"},
		{"server_id", "source: {server_id: 4294967296}", "source.server_id: found number"},
		{
			"two passwords", "source: {password: a, password_file: b}",
			"source.password, source.password_file: set only one of them",
		},
		{
			"same server", "source: {host: localhost}\ntarget: {host: 127.0.0.1}",
			"target: same server as source (localhost:3306)",
		},
		{"same socket", "source: {socket: /s}\ntarget: {socket: /s}", "target: same server as source (/s)"},
		{"no host", `source: {host: ""}`, "source.host: required (or source.socket)"},
		{"no tables", "tables: {include: []}", "tables.include: required"},
		{"no dot", "tables: {include: [shop]}", `tables.include[0]: "shop" does not fit, expected db.table`},
		{"two dots", "tables: {include: [a.b.c]}", `tables.include[0]: "a.b.c" has more than one dot`},
		{"quotes", "tables: {exclude: ['`a`.b']}", "tables.exclude[0]: "},
		{"glob twice", "tables: {include: [a.b, a.b]}", `tables.include[1]: "a.b" given twice`},
		{
			"route to part of a name", `routes: [{from: "a.*", to: "a.new_*"}]`,
			`"new_*" does not fit, a * stands for the whole`,
		},
		{
			"route without wildcard", `routes: [{from: a.b, to: "c.*"}]`,
			`* needs a wildcard in the same place of from, write "b"`,
		},
		{"route merges", `routes: [{from: "a.*", to: c.d}]`, "would put several tables into one"},
		{"route without to", "routes: [{from: a.b}]", `routes[0].to: "" does not fit, expected db.table`},
		{"route twice", "routes: [{from: a.b, to: c.d}, {from: a.b, to: c.e}]", `routes[1].from: "a.b" given twice`},
		{"filter", "filters: [{table: a.b}]", "filters[0].where: required"},
		{"alter", "alter: [{table: a.b, ddl: x}]", "alter: in-place change is not available in this version"},
		{"workers", "copy: {workers: 0}", "copy.workers: 0 is out of range, expected 1 to 64"},
		{"chunk bytes", "copy: {chunk_bytes: 1}", "copy.chunk_bytes: 1 is out of range, expected 64KiB to 1GiB"},
		{"ddl", "replicate: {ddl: skip}", "replicate.ddl"},
		{"fence hook", "cutover: {fence: hook}", "cutover.fence: hook needs both hooks.fence and hooks.unfence"},
		{"timeout", "cutover: {timeout: 2h}", "cutover.timeout: 2h0m0s is out of range, expected 1s to 1h0m0s"},
	}
	base := write(t, minimal)
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Load(Options{Files: []string{base, write(t, "\n\n\n\n\n"+tc.yaml)}})
			require.ErrorIs(t, err, ErrInvalid)
			require.ErrorContains(t, err, tc.want)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), "31415")
		})
	}
}

func TestLoadReportsEverythingAtOnce(t *testing.T) {
	_, err := Load(Options{
		Files:   []string{write(t, "nope: 1\ncopy: {workers: x}\n"), "missing.yaml"},
		Environ: []string{"WHERRY_COPY_CHUNK_ROWS=many"},
		Flags:   map[string]any{"source.password": "hunter2", "log.levle": "x", "verify.workers": "x"},
	})
	require.ErrorIs(t, err, ErrInvalid)
	require.ErrorIs(t, err, os.ErrNotExist)
	for _, want := range []string{
		"7 problems", "nope", "copy.workers", "missing.yaml", "WHERRY_COPY_CHUNK_ROWS: copy.chunk_rows",
		"source.password: a password is never a flag", "did you mean log.level?", "flag: verify.workers",
	} {
		require.ErrorContains(t, err, want)
	}
	assert.NotContains(t, err.Error(), "hunter2")

	_, err = Load(Options{})
	require.ErrorIs(t, err, ErrInvalid)
	for _, want := range []string{
		"move: required", "source.host: required", "target.user: required",
		"tables.include: required",
	} {
		require.ErrorContains(t, err, want)
	}
}

func TestKeyWithoutValueIsNotSet(t *testing.T) {
	c, err := Load(Options{Files: []string{
		write(t, minimal+"copy:\nlog: {level: }\n"), write(t, "# nothing\n"),
		write(t, ""),
	}})
	require.NoError(t, err)
	assert.Equal(t, Defaults().Copy, c.Copy)
	assert.Equal(t, "info", c.Log.Level)
}

func TestWarnings(t *testing.T) {
	name := write(t, minimal+"hooks: {fence: x}\n")
	env := []string{"WHERRY_COPY_WROKERS=1", "WHERRY_TEST_SERVER=1"}
	c, err := Load(Options{Files: []string{name}, Environ: env})
	require.NoError(t, err)
	require.Len(t, c.Warnings(), 2)
	assert.Contains(t, c.Warnings()[0], "WHERRY_COPY_WROKERS sets nothing, did you mean WHERRY_COPY_WORKERS?")
	assert.Contains(t, c.Warnings()[1], "hooks.fence")

	open := write(t, "")
	require.NoError(t, os.WriteFile(open, []byte("source: {password: x}\n"), 0o600))
	base := write(t, minimal)
	require.NoError(t, os.Chmod(base, 0o644))
	for mode, want := range map[os.FileMode]int{0o600: 0, 0o640: 1, 0o644: 1} {
		require.NoError(t, os.Chmod(open, mode))
		c, err = Load(Options{Files: []string{base, open}})
		require.NoError(t, err)
		assert.Len(t, c.Warnings(), want, "%o", mode)
	}
}

func TestAllowedLosses(t *testing.T) {
	c, err := Load(Options{Files: []string{write(t, minimal), write(t, `schema: {allow_losses: [json, `+
		`"collation@shop.*"]}`)}})
	require.NoError(t, err)
	assert.Equal(t, []string{"json", "collation@shop.*"}, c.Schema.AllowLosses)
	for text, says := range map[string]string{
		"jsn":             `unknown loss "jsn", did you mean json?; known are check, collation, `,
		"type":            `unknown loss "type"`,
		`"json@shop"`:     `"shop" does not fit, expected db.table`,
		`"json@"`:         `"" does not fit, expected db.table`,
		`""`:              `unknown loss ""`,
		"json, json":      `"json" given twice`,
		`"json@a.b.c"`:    "more than one dot",
		`"@shop.a"`:       `unknown loss ""`,
		`json@shop.a, 7 `: "schema.allow_losses",
	} {
		_, err := Load(Options{Files: []string{write(t, minimal), write(t, "schema: {allow_losses: ["+text+"]}")}})
		require.ErrorIs(t, err, ErrInvalid, text)
		require.ErrorContains(t, err, says, text)
	}
}

// TestExampleNamesEveryLoss: the example and the README say of every loss what it means, in the same words as the
// program.
func TestExampleNamesEveryLoss(t *testing.T) {
	text, err := os.ReadFile(example)
	require.NoError(t, err)
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	for _, loss := range schema.LossNames {
		assert.Regexp(t, `(?m)^  #   `+loss.Name+` +`+regexp.QuoteMeta(loss.Means)+`$`, string(text))
		assert.Contains(t, string(readme), "| `"+loss.Name+"` | "+loss.Means+" |")
	}
}
