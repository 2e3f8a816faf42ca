package objects

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/test/internal/harness"
)

// contract reads docs/json.md: the types of fields by the types of lines.
func contract(t *testing.T) map[string]map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/json.md")
	require.NoError(t, err)
	lines, at := map[string]map[string]string{}, ""
	row, name := regexp.MustCompile("^\\| (`[^|]+`) \\| ([^|]+) \\|"), regexp.MustCompile("`([a-z_]+)`")
	for _, line := range strings.Split(string(text), "\n") {
		if title, ok := strings.CutPrefix(line, "## "); ok {
			at = strings.Trim(title, "`")
			lines[at] = map[string]string{}
		} else if m := row.FindStringSubmatch(line); m != nil {
			for _, field := range name.FindAllStringSubmatch(m[1], -1) {
				lines[at][field[1]] = strings.TrimSpace(m[2])
			}
		}
	}
	lines["phase"] = lines["summary"]
	return lines
}

// kindOf is how the page calls a value's type.
func kindOf(v any) string {
	switch v.(type) {
	case string:
		return "text"
	case float64:
		return "number"
	case bool:
		return "true or false"
	case []any:
		return "list"
	case map[string]any:
		return "object"
	default:
		return "null"
	}
}

// nameTypes is the type that each name has, wherever it stands.
type nameTypes map[string]string

var took = regexp.MustCompile(`^\d+(\.\d+)?(ns|µs|ms|s|m\d+s)$`)

// walk looks at all names in a value: each has one type, and times that something took are numbers.
func (k nameTypes) walk(t *testing.T, at string, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			// names of the server's variables, values of the configuration
			if name == "source_read_only" || name == "keys" {
				continue
			}
			if kind := kindOf(value); kind != "null" {
				if k[name] == "" {
					k[name] = kind
				}
				assert.Equal(t, k[name], kind, "%s.%s has another type elsewhere", at, name)
			}
			k.walk(t, at+"."+name, value)
		}
	case []any:
		for _, value := range v {
			k.walk(t, at, value)
		}
	case string:
		assert.NotRegexp(t, took, v, at)
	}
}

// TestJSONOutput holds every line of every command against docs/json.md, and nothing else is on standard output.
func TestJSONOutput(t *testing.T) {
	lines, seen, names := contract(t), map[string]bool{}, nameTypes{}
	harness.Each(t, []harness.Ends{harness.ToMySQL}, func(t *testing.T, source, target *harness.Server) {
		m := newMove(t, "wo_json", source, target)
		m.source.Exec(t, "CREATE TABLE t (id INT PRIMARY KEY, a INT)", "INSERT INTO t VALUES (1, 1), (2, 2)")
		for _, command := range []string{
			"version", "config validate", "status --print-config", "verify", "check", "check --grants target",
			"init-schema --dry-run", "init-schema",
			"init-copy --progress", "init-copy", "start-replica --until-caught-up --progress", "verify --progress",
			"run", "status",
			"cutover --rehearse --confirm=wo_json", "cutover --dry-run", "cutover",
			"cutover --confirm=wo_json --progress", "verify", "status", "cleanup --dry-run", "cleanup",
		} {
			args := strings.Fields(command)
			if args[0] == "config" { // the harness puts flags behind the first word
				args = []string{"config", "validate"}
			}
			c := m.Run(t, args...) // some are refused
			last := ""
			for _, text := range strings.Split(strings.TrimSpace(c.Output()), "\n") {
				var line map[string]any
				require.NoError(t, json.Unmarshal([]byte(text), &line), "%s: %s", command, text)
				last, _ = line["type"].(string)
				seen[last] = true
				require.Contains(t, lines, last, "%s: %s", command, text)
				assert.NotEmpty(t, line["time"], command)
				names.walk(t, last, line)
				for field, value := range line {
					if field == "type" || field == "time" {
						continue
					}
					kinds := strings.Split(strings.ReplaceAll(lines[last][field], "true or false", "true"), " or ")
					assert.Contains(t, kinds, strings.ReplaceAll(kindOf(value), "true or false", "true"),
						"%s: %s.%s: %s", command, last, field, text)
				}
			}
			want := map[bool]string{true: "summary", false: "error"}[c.Code == 0 || c.Code == 3]
			if args[0] == "status" && len(args) == 1 {
				want = "status"
			}
			assert.Equal(t, want, last, "%s: %s", command, c.Output())
		}
	})
	for kind := range lines {
		// which an account without rights gets, see TestGrantsRun
		if kind != "grants" && !t.Skipped() && os.Getenv("WHERRY_TEST_SERVERS") != "" {
			assert.True(t, seen[kind], "no command printed a line of type %s", kind)
		}
	}
}
