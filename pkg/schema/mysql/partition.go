package mysql

import (
	"slices"
	"strings"

	"wherry/pkg/sqltext"
)

// partitioning is a partition clause in parts, in words that do not depend on how a server prints it.
type partitioning struct {
	scheme string // everything before the list of partitions
	parts  []partitionPart
}

// partitionPart is one partition: its name, its definition in words, and verbatim.
type partitionPart struct{ name, words, text string }

// readPartitioning splits a clause into its parts. One that lists no partitions, such as HASH (id) PARTITIONS 4, has a
// scheme only.
func readPartitioning(clause string) partitioning {
	tokens, err := sqltext.Lex(clause, printed)
	if err != nil {
		return partitioning{scheme: clause}
	}
	begin := partitionList(tokens)
	p := partitioning{scheme: partitionWords(tokens[:begin])}
	depth, from := 0, begin+1
	for i := begin; i < len(tokens); i++ {
		t := tokens[i]
		switch {
		case t.IsMark("("):
			depth++
			continue
		case t.IsMark(")"):
			depth--
		}
		if depth == 0 && t.IsMark(")") || depth == 1 && t.IsMark(",") {
			p.parts = append(p.parts, partitionPart{
				lower(tokens[from+1].Text), partitionWords(tokens[from:i]),
				clause[tokens[from].From:tokens[i-1].To],
			})
			from = i + 1
		}
		if depth == 0 {
			break
		}
	}
	return p
}

// partitionList returns where the list of partitions opens, or the end.
func partitionList(tokens []sqltext.Token) int {
	for i := 0; i+1 < len(tokens); i++ {
		if tokens[i].IsMark("(") && tokens[i+1].Is("PARTITION") {
			return i
		}
	}
	return len(tokens)
}

// partitionWords writes tokens alike whether names are in backticks or not. Parentheses stay where they hold values,
// and ENGINE, which is the table's, goes: MariaDB prints it in every partition, and so does MySQL.
func partitionWords(tokens []sqltext.Token) string {
	var words []string
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		if t.Is("ENGINE") && i+2 < len(tokens) && tokens[i+1].IsMark("=") {
			i += 2
			continue
		}
		switch t.Kind {
		case sqltext.End:
		case sqltext.String:
			words = append(words, Literal(t.Text))
		case sqltext.Bits, sqltext.Bytes:
			words = append(words, "#"+t.Text)
		default:
			if !t.IsMark("(") && !t.IsMark(")") && !t.IsMark("=") {
				words = append(words, synonym(t.Text))
			}
		}
	}
	return strings.Join(words, " ")
}

// samePartitioning returns whether two clauses mean the same.
func samePartitioning(a, b string) bool {
	p, q := readPartitioning(a), readPartitioning(b)
	return p.scheme == q.scheme && slices.EqualFunc(p.parts, q.parts, func(x, y partitionPart) bool {
		return x.words == y.words
	})
}

// named returns whether a partition is among the names.
func (p partitionPart) named(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(name, p.name) })
}

// dropped returns whether a partition that a table once had is gone, and its rows with it: none of the clauses names
// it. Partitions that are not listed, such as those of HASH (id) PARTITIONS 4, and subpartitions have names of the
// server's (p0, p0sp1), which no clause has; these are never taken for dropped.
func (p partitioning) dropped(name string, clauses ...string) bool {
	for _, part := range p.parts {
		if strings.HasPrefix(lower(name), part.name+"sp") {
			return false
		}
	}
	return len(p.parts) > 0 && !slices.ContainsFunc(clauses, func(clause string) bool {
		return mentions(clause, true, func(word string) bool { return word == lower(name) })
	})
}

// partitionKeywords stand before a parenthesis in a partition clause and mean the same on both families.
var partitionKeywords = wordSet("by range list hash key columns than in maxvalue")

// partitions carries the partition clause, which both families write in the same way: MariaDB reads MySQL's versioned
// comments. The target puts rows into partitions by its own functions, so a partition by HASH or KEY may hold other
// rows than on the source. That matters only to TRUNCATE PARTITION and the like.
func (m *mapping) partitions() {
	t := m.target
	if !m.crossing || t.Partition == "" {
		return
	}
	tokens, err := sqltext.Lex(t.Partition, printed)
	for i, token := range tokens {
		word := lower(token.Text)
		switch {
		case token.Kind != sqltext.Word:
		case tokens[i+1].IsMark("(") && !partitionKeywords[word] && !sharedFunctions[word],
			token.Is("SYSTEM_TIME"), token.Is("DIRECTORY"), token.Is("TABLESPACE"), token.Is("NODEGROUP"),
			token.Is("DEFAULT"):
			m.fatal("partition", "", "the partitions use %s, which %s does not have or may read otherwise", token.Text,
				m.flavor)
		}
	}
	if err != nil {
		m.fatal("partition", "", "the partitions cannot be read: %s", t.Partition)
	}
	t.Partition = portable(t.Partition, func(collation string) string { return collation })
}
