package test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"wherry/pkg/schema"
	"wherry/pkg/schema/mysql"
)

// probes are what collations are known to differ by: accents, case, padding, ligatures, kana, emoji, ignorable
// characters.
var probes = []string{
	"", " ", "  ", "\t", "a", "a ", "A", "á", "Á", "à", "a\u0301", "ae", "æ", "Æ", "ä", "aa", "å", "e", "é", "È", "ss",
	"ß", "SS", "ẞ", "sz", "o", "ö", "oe", "ø", "œ",
	"i", "I", "ı", "İ", "n", "ñ", "c", "ch", "č", "ll", "l", "ł", "lj", "d", "đ", "ð", "th", "þ", "v", "w", "y", "ü",
	"か", "カ", "が", "ｶ", "っ", "つ", "ー", "한", "漢", "漢字",
	"😀", "😁", "🚢", "1", "١", "①", "½", "-", "\u00ad", "\u200d", "\u00a0", "я", "Я", "ё", "е", "и", "й", "σ", "ς", "ή",
	"η", "a\x00",
}

// TestCollationsKeepKeysApart: every collation has a stand-in on the other family or is refused; and in keys a
// stand-in calls no two probes equal that the collation tells apart.
func TestCollationsKeepKeysApart(t *testing.T) {
	servers := schemaServers(t)
	for _, s := range servers {
		for _, other := range servers {
			if !s.flavor.Family.Across(other.flavor.Family) {
				continue
			}
			t.Run(s.name+" to "+other.name, func(t *testing.T) {
				s.fillProbes(t)
				other.fillProbes(t)
				dialect, moved, refused := mysql.New(other.flavor, other.Collations), 0, 0
				for _, collation := range slices.Sorted(maps.Keys(s.Known)) {
					to, fatal := keyCollation(t, s, dialect, collation)
					if fatal {
						refused++
						continue
					}
					moved++
					if to == collation {
						continue
					}
					equal := s.equalProbes(t, collation)
					for pair := range other.equalProbes(t, to) {
						assert.True(t, equal[pair], "%s tells apart what %s does not: %q", collation, to, pair)
					}
				}
				t.Logf("%d collations have one for keys, %d are refused", moved, refused)
				assert.Greater(t, moved, refused)
			})
		}
	}
}

// keyCollation returns the collation of a unique column on the other side.
func keyCollation(t *testing.T, s *schemaServer, dialect schema.Dialect, collation string) (to string, fatal bool) {
	t.Helper()
	table := &schema.Table{
		Name: schema.Name{Database: "d", Table: "t"}, Engine: "InnoDB", Charset: "latin1", Collation: "latin1_bin",
		Flavor: schema.Flavor(s.flavor),
		Columns: []schema.Column{{Name: "v", Nullable: true, Type: schema.Type{
			Kind: schema.Varchar, Name: "varchar", Size: 20, Text: "varchar(20)", Charset: s.Known[collation],
			Collation: collation,
		}}},
		Indexes: []schema.Index{{Name: "u", Unique: true, Parts: []schema.Part{{Column: "v"}}}},
	}
	plan, losses, err := dialect.Map(table, table.Name, nil)
	require.NoError(t, err)
	for _, loss := range losses {
		fatal = fatal || loss.Grade == schema.Fatal
	}
	return plan.Columns[0].Type.Collation, fatal
}

func (s *schemaServer) fillProbes(t *testing.T) {
	t.Helper()
	s.fresh(t, "schema_probes")
	var values []string
	for i, probe := range probes {
		values = append(values, fmt.Sprintf("(%d, CONVERT(X'%x' USING utf8mb4))", i, probe))
	}
	s.exec(t, "CREATE TABLE schema_probes.p (id INT PRIMARY KEY, v VARCHAR(20) CHARACTER SET utf8mb4) DEFAULT "+
		"CHARSET=utf8mb4")
	s.exec(t, "INSERT INTO schema_probes.p VALUES "+strings.Join(values, ", "))
}

// equalProbes returns the pairs of probes that a collation calls equal. Those that its character set lacks count for
// nothing.
func (s *schemaServer) equalProbes(t *testing.T, collation string) map[[2]string]bool {
	t.Helper()
	charset := s.Known[collation]
	text := func(alias string) string { return "CONVERT(" + alias + ".v USING " + charset + ")" }
	kept := func(alias string) string {
		return "CONVERT(" + text(alias) + " USING utf8mb4) COLLATE utf8mb4_bin = " + alias + ".v COLLATE utf8mb4_bin"
	}
	rows, err := s.db.QueryContext(t.Context(), "SELECT a.id, b.id FROM schema_probes.p a JOIN schema_probes.p b ON "+
		"a.id < b.id WHERE "+
		text("a")+" COLLATE "+collation+" = "+text("b")+" COLLATE "+collation+" AND "+kept("a")+" AND "+kept("b"))
	require.NoError(t, err, collation)
	defer func() { _ = rows.Close() }()
	equal := map[[2]string]bool{}
	for rows.Next() {
		var a, b int
		require.NoError(t, rows.Scan(&a, &b))
		equal[[2]string{probes[a], probes[b]}] = true
	}
	require.NoError(t, rows.Err())
	return equal
}
