package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestNothingShowsAPassword(t *testing.T) {
	c, err := Load(Options{
		Files:   []string{write(t, minimal), write(t, "source: {password: hunter2}")},
		Environ: []string{"WHERRY_TARGET_PASSWORD=hunter2"},
	})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, c.Print(&out))
	assert.Equal(t, 2, bytes.Count(out.Bytes(), []byte("password: '***'"))+bytes.Count(out.Bytes(),
		[]byte(`password: "***"`)), out.String())
	asJSON, err := json.Marshal(c)
	require.NoError(t, err)
	asYAML, err := yaml.Marshal(c)
	require.NoError(t, err)
	out.Write(asJSON)
	out.Write(asYAML)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&out, verb, *c)
		fmt.Fprintf(&out, verb, c.Source.Password)
		fmt.Fprintf(&out, verb, &c.Target)
	}
	assert.NotContains(t, out.String(), "hunter2")
	assert.NotContains(t, out.String(), "68756e74657232")
}

func TestSecretPrints(t *testing.T) {
	for secret, want := range map[Secret]string{"": "", "x": "***"} {
		assert.Equal(t, want, secret.String())
		assert.Equal(t, want, fmt.Sprintf("%#v", secret))
		text, err := secret.MarshalText()
		require.NoError(t, err)
		assert.Equal(t, want, string(text))
		text, err = json.Marshal(secret)
		require.NoError(t, err)
		assert.Equal(t, `"`+want+`"`, string(text))
	}
	assert.Equal(t, "x", Secret("x").Reveal())
}

func TestPrintLoadsAgain(t *testing.T) {
	first, err := Load(Options{Files: []string{example, write(t, `
routes: [{from: "shop.*", to: "true.*"}]
filters: [{table: shop.a, where: "a = '1: #2'\nAND b > \"x\""}]
hooks: {switch: "null", before_cutover: "~", after_cutover: "- x"}
target: {user: "007"}
`)}})
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, first.Print(&out))
	second, err := Load(Options{Files: []string{write(t, out.String())}})
	require.NoError(t, err, out.String())
	second.origins = first.origins
	assert.Equal(t, first, second)
}

// TestOrigins: every key tells where its value comes from, the strongest of several, in YAML and for programs.
func TestOrigins(t *testing.T) {
	one, two := write(t, minimal+"copy:\n  workers: 2\n  chunk_rows: 5\nverify: {workers: 3}\n"), write(t,
		"copy:\n\n  chunk_rows: 6\ntables: {include: [a.*, b.*]}\n")
	c, err := Load(Options{
		Files: []string{one, two}, Environ: []string{"WHERRY_VERIFY_WORKERS=7", "WHERRY_SOURCE_PASSWORD=s3cr3t"},
		Flags: map[string]any{"log.level": "debug"},
	})
	require.NoError(t, err)
	line := strings.Count(minimal, "\n") + 2
	want := map[string]string{
		"copy.workers": fmt.Sprintf("%s:%d", one, line), "copy.chunk_rows": two + ":3", "tables.include": two + ":4",
		"verify.workers":  "WHERRY_VERIFY_WORKERS",
		"source.password": "WHERRY_SOURCE_PASSWORD", "log.level": "--log-level", "copy.index_workers": "default",
		"hooks.switch": "default",
	}
	entries := map[string]Entry{}
	for _, e := range c.Entries() {
		entries[e.Key] = e
	}
	var out bytes.Buffer
	require.NoError(t, c.Print(&out))
	for key, origin := range want {
		assert.Equal(t, origin, entries[key].Origin, key)
		assert.Contains(t, out.String(), "# "+origin, key)
	}
	assert.Equal(t, []any{"a.*", "b.*"}, entries["tables.include"].Value)
	assert.Equal(t, "***", entries["source.password"].Value)
	assert.Equal(t, "30s", entries["cutover.timeout"].Value)
	assert.NotContains(t, out.String(), "s3cr3t")
	assert.Len(t, entries, len(fields()))
}

// TestCommandsAreRedacted: what looks like a secret in a command is not shown, and what says which command it is stays.
func TestCommandsAreRedacted(t *testing.T) {
	for command, want := range map[string]string{
		"vault kv get -field=password secret/db":            "vault kv get -field=password secret/db",
		"cat /etc/wherry/source":                            "cat /etc/wherry/source",
		"VAULT_TOKEN=hunter2 vault read db":                 "VAULT_TOKEN=*** vault read db",
		"get-secret --token hunter2 --host db":              "get-secret --token *** --host db",
		"get --api-key='hunter2 x' db":                      "get --api-key=*** db",
		"echo hunter2":                                      "echo *** ",
		"printf '%s' hunter2 | tr -d x":                     "printf *** | tr -d x",
		"mysql -phunter2 -e x":                              "mysql -p*** -e x",
		"curl -u me:hunter2 https://x/y":                    "curl -u me:*** https://x/y",
		"curl https://me:hunter2@x/y":                       "curl https://me:***@x/y",
		`curl -H "Authorization: Bearer hunter2" https://x`: `curl -H "Authorization: ***" https://x`,
		"curl https://x/y?z=1 -H 'X-Vault-Token: hunter2'":  "curl https://x/y?z=1 -H 'X-Vault-Token: ***'",
		"fetch hvs.CAESIJhunter2hunter2":                    "fetch ***",
		"fetch AbCdEf0123456789hunter2":                     "fetch ***",
		"/opt/switch.sh --to new-primary.internal":          "/opt/switch.sh --to new-primary.internal",
	} {
		assert.Equal(t, want, redactCommand(command))
		c, err := Load(Options{Files: []string{write(t, minimal), write(t, fmt.Sprintf("source: {password_command: "+
			"%q}\nhooks: {switch: %q}", command, command))}})
		require.NoError(t, err)
		var out bytes.Buffer
		require.NoError(t, c.Print(&out))
		text, err := json.Marshal(c.Entries())
		require.NoError(t, err)
		assert.NotContains(t, out.String()+string(text), "hunter2", command)
	}
}

func TestFingerprint(t *testing.T) {
	of := func(more string) string {
		t.Helper()
		c, err := Load(Options{Files: []string{write(t, minimal), write(t, more)}})
		require.NoError(t, err)
		return c.Fingerprint()
	}
	base := of("")
	assert.Regexp(t, "^[0-9a-f]{64}$", base)
	for _, same := range []string{
		"source: {host: z, password: x}", "copy: {workers: 9}", "state: x.json", "schema: {allow_losses: [json]}",
		"tables: {exclude: [shop.a]}", "tables: {include: [shop.a]}",
	} {
		assert.Equal(t, base, of(same), same)
	}
	for _, other := range []string{
		"move: x",
		"routes: [{from: shop.a, to: shop.b}]", "filters: [{table: shop.a, where: x}]",
	} {
		assert.NotEqual(t, base, of(other), other)
	}
	assert.Equal(t, of("filters: [{table: a.b, where: x}, {table: c.d, where: y}]"),
		of("filters: [{table: c.d, where: y}, {table: a.b, where: x}]"))
	assert.NotEqual(t, of(`filters: [{table: a.b, where: 'x","y'}]`), of("filters: [{table: a.b, where: x}]"))
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]Bytes{
		"0": 0, "4096": 4096, "16MiB": 16 << 20, "16MB": 16e6, "1GiB": 1 << 30,
		"2 kib": 2048, "7B": 7, "1TiB": TiB,
	} {
		got, err := ParseBytes(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got, text)
		again, err := ParseBytes(got.String())
		require.NoError(t, err, text)
		assert.Equal(t, got, again, text)
	}
	for _, text := range []string{"", "MiB", "-1", "1.5GiB", "1XB", "9223372036854775808", "9223372036854775807KiB"} {
		_, err := ParseBytes(text)
		require.Error(t, err, text)
	}
	assert.Equal(t, "16MiB", (16 * MiB).String())
	assert.Equal(t, "4097", Bytes(4097).String())
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(minimal), "WHERRY_COPY_WORKERS=3")
	text, err := os.ReadFile(example)
	require.NoError(f, err)
	f.Add(text, "WHERRY_ROUTES=[{from: a.b, to: c.d}]")
	f.Add([]byte("a: &a [*a]\nroutes: *a"), "WHERRY_TABLES_INCLUDE=[*a]")
	f.Add([]byte("source: {password: *x}"), "WHERRY_SOURCE_PASSWORD=x")
	f.Fuzz(func(t *testing.T, text []byte, env string) {
		c, err := Load(Options{Files: []string{write(t, string(text))}, Environ: []string{env}})
		if err != nil {
			require.ErrorIs(t, err, ErrInvalid)
			return
		}
		var out bytes.Buffer
		require.NoError(t, c.Print(&out))
		c.Source.Password, c.Target.Password, c.Source.EnvPassword, c.Target.EnvPassword = "", "", "", ""
		again, err := Load(Options{Files: []string{write(t, out.String())}})
		if err != nil { // *** beside a password_file
			return
		}
		require.Equal(t, c.Fingerprint(), again.Fingerprint())
	})
}
