package test

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema/mysql"
)

// go test ./test -run TestSharedCollations -shared-collations measures all strings and writes the table anew.
var writeShared = flag.Bool("shared-collations", false, "write pkg/schema/mysql/collation_shared.go")

const sharedFile = "../pkg/schema/mysql/collation_shared.go"

// sharedStrings are what is ranked: characters, pairs and triples of letters that languages take for one, and what is
// passed over or padded. Of the characters of a plane every step-th, from the first one on.
func sharedStrings(first, step int) (all []string) {
	for r := rune(first); r < 0x10000; r += rune(step) {
		if r < 0xD800 || r > 0xDFFF {
			all = append(all, string(r))
		}
	}
	for r := rune(0x10000 + first); r < 0x30000; r += rune(97 * step) {
		all = append(all, string(r))
	}
	for r := rune(0); r < 0x250; r++ { // Latin letters, all
		all = append(all, string(r))
	}
	letters := "abcdefghijklmnopqrstuvwxyzACDHJLNSZäößåž \t-\u00ad\u200d\u0301\u0000"
	for _, a := range letters {
		for _, b := range letters {
			all = append(all, string(a)+string(b))
		}
	}
	const trigraphs = "cdghlnsz"
	for _, a := range trigraphs {
		for _, b := range trigraphs {
			for _, c := range trigraphs {
				all = append(all, string([]rune{a, b, c}))
			}
		}
	}
	return all
}

// TestSharedCollations weighs strings by every collation that both families have, on both: those of the table order
// them alike and call the same equal. Every run looks at other characters besides the Latin ones, and at a part of
// the collations besides those that are used most; with -shared-collations at all, and then the table is written.
func TestSharedCollations(t *testing.T) {
	everyRun := []string{
		"latin1_swedish_ci", "latin1_bin", "utf8mb4_general_ci", "utf8mb4_bin", "utf8mb3_general_ci",
		"utf8mb4_unicode_ci", "ascii_bin",
	}
	seed := rand.IntN(61)
	first, step := seed, 61
	if *writeShared {
		first, step = 0, 1
	}
	t.Logf("every character %d + n * %d", first, step)
	servers := schemaServers(t)
	var wanted []string
	for i, collation := range mysql.SharedCollations() {
		if i%4 == seed%4 || slices.Contains(everyRun, collation) {
			wanted = append(wanted, collation)
		}
	}
	if *writeShared {
		wanted = slices.Collect(maps.Keys(servers[0].Known))
	}
	for i := range wanted {
		wanted[i] = modern(wanted[i])
	}
	for _, s := range servers {
		wanted = slices.DeleteFunc(wanted, func(collation string) bool {
			return collation == "binary" || s.named(collation) == ""
		})
	}
	weights := map[string][]string{} // by collation, what every server says
	for _, s := range servers {
		s.fillShared(t, sharedStrings(first, step), wanted)
		for _, collation := range wanted {
			weights[collation] = append(weights[collation], s.weightShared(t, collation))
		}
	}
	same := func(said []string) bool { return len(slices.Compact(slices.Sorted(slices.Values(said)))) == 1 }
	var alike []string
	for _, collation := range slices.Sorted(maps.Keys(weights)) {
		said := weights[collation]
		if !same(said) {
			said = nil
			for _, s := range servers {
				said = append(said, s.rankShared(t, collation))
			}
		}
		if same(said) {
			alike = append(alike, collation)
		}
	}
	if len(servers) < 2 {
		t.Skip("only one server")
	}
	if *writeShared {
		writeSharedTable(t, alike)
		return
	}
	for _, collation := range append(wanted, everyRun...) {
		assert.Contains(t, alike, collation)
	}
	t.Logf("%d collations of %d are alike", len(alike), len(weights))
}

// fillShared writes the strings in every character set of the collations, as far as it has them: one table each.
func (s *schemaServer) fillShared(t *testing.T, all, collations []string) {
	t.Helper()
	s.fresh(t, "schema_shared")
	s.exec(t, "CREATE TABLE schema_shared.strings (v VARCHAR(8) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin)")
	for chunk := range slices.Chunk(all, 5000) {
		var values []string
		for _, text := range chunk {
			values = append(values, fmt.Sprintf("(X'%x')", text))
		}
		s.exec(t, "INSERT INTO schema_shared.strings VALUES "+strings.Join(values, ","))
	}
	charsets := map[string]bool{}
	for _, collation := range collations {
		charsets[s.Known[s.named(collation)]] = true
	}
	for charset := range charsets {
		s.exec(t, fmt.Sprintf("CREATE TABLE schema_shared.%s (v VARCHAR(8) CHARACTER SET %s)", charset, charset))
		s.exec(t, fmt.Sprintf("INSERT IGNORE INTO schema_shared.%s SELECT CONVERT(v USING %s) FROM "+
			"schema_shared.strings WHERE CAST(CONVERT(CONVERT(v USING %s) USING utf8mb4) AS BINARY) = "+
			"CAST(v AS BINARY)",
			charset, charset, charset))
		if one := s.count(t, "SELECT MAXLEN FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME = '"+
			charset+"'"); one == 1 {
			var values []string
			codes := 256
			if charset == "ascii" {
				codes = 128
			}
			for b := range codes {
				values = append(values, fmt.Sprintf("(X'%02x')", b))
			}
			s.exec(t, "INSERT IGNORE INTO schema_shared."+charset+" VALUES "+strings.Join(values, ","))
		}
	}
}

func (s *schemaServer) count(t *testing.T, query string) (n int) {
	t.Helper()
	require.NoError(t, s.db.QueryRowContext(t.Context(), query).Scan(&n), query)
	return n
}

// weightShared returns, for a collation, a digest of every string with its weight (equal ones have the same, and
// their bytes are in order; MySQL manual 14.8.3, WEIGHT_STRING), and how many are equal to themselves before a space,
// and less than themselves before a tab.
func (s *schemaServer) weightShared(t *testing.T, collation string) (digest string) {
	t.Helper()
	collation = s.named(collation)
	charset := s.Known[collation]
	require.NoError(t, s.db.QueryRowContext(t.Context(),
		fmt.Sprintf(`SELECT CONCAT_WS(' ', COUNT(*),
		SUM(CAST(CONV(LEFT(SHA2(CONCAT(HEX(v), ':', HEX(WEIGHT_STRING(v COLLATE %[1]s))), 256), 14), 16, 10)
		AS UNSIGNED)),
		SUM(v COLLATE %[1]s = CONCAT(v, CONVERT(' ' USING %[2]s)) COLLATE %[1]s),
		SUM(v COLLATE %[1]s < CONCAT(v, CONVERT('\t' USING %[2]s)) COLLATE %[1]s)) FROM schema_shared.%[2]s`,
			collation, charset)).Scan(&digest), collation)
	return digest
}

// named returns how the server calls a collation, "" when it has none of the name.
func (s *schemaServer) named(collation string) string {
	for _, name := range []string{collation, strings.Replace(collation, "utf8mb3_", "utf8_", 1)} {
		if charset, known := s.Known[name]; known {
			if _, usable := s.Default[charset]; usable {
				return name
			}
		}
	}
	return ""
}

// rankShared returns, for a collation, a digest of every string with its rank: servers may write the same order in
// other weights.
func (s *schemaServer) rankShared(t *testing.T, collation string) string {
	t.Helper()
	collation = s.named(collation)
	charset := s.Known[collation]
	rows, err := s.db.QueryContext(t.Context(), fmt.Sprintf("SELECT HEX(v), WEIGHT_STRING(v COLLATE %s) FROM "+
		"schema_shared.%s", collation, charset))
	require.NoError(t, err)
	defer rows.Close()
	type weighed struct{ text, weight string }
	var all []weighed
	for rows.Next() {
		var w weighed
		require.NoError(t, rows.Scan(&w.text, &w.weight))
		all = append(all, w)
	}
	require.NoError(t, rows.Err())
	slices.SortFunc(all, func(a, b weighed) int {
		return cmp.Or(strings.Compare(a.weight, b.weight), strings.Compare(a.text, b.text))
	})
	digest, rank := sha256.New(), 0
	_, padding, _ := strings.Cut(s.weightShared(t, collation), " ")
	_, padding, _ = strings.Cut(padding, " ")
	fmt.Fprintln(digest, padding)
	for i, w := range all {
		if i > 0 && w.weight != all[i-1].weight {
			rank++
		}
		fmt.Fprintln(digest, w.text, rank)
	}
	return hex.EncodeToString(digest.Sum(nil))
}

func modern(collation string) string {
	if rest, old := strings.CutPrefix(collation, "utf8_"); old {
		return "utf8mb3_" + rest
	}
	return collation
}

func writeSharedTable(t *testing.T, alike []string) {
	t.Helper()
	var b strings.Builder
	b.WriteString("// Code generated by go test ./test -run TestSharedCollations -shared-collations. DO NOT " +
		"EDIT.\n\npackage mysql\n\n" +
		"// sharedCollations order all characters alike on MySQL and MariaDB, and call the same ones equal.\nvar " +
		"sharedCollations = wordSet(`\n")
	for chunk := range slices.Chunk(alike, 6) {
		b.WriteString("\t" + strings.Join(chunk, " ") + "\n")
	}
	b.WriteString("`)\n")
	require.NoError(t, os.WriteFile(sharedFile, []byte(b.String()), 0o600))
}
