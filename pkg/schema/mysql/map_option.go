package mysql

import (
	"slices"
	"strings"

	"wherry/pkg/schema"
)

// sharedOptions mean the same on both families.
var sharedOptions = wordSet(`STATS_PERSISTENT STATS_AUTO_RECALC STATS_SAMPLE_PAGES KEY_BLOCK_SIZE CHECKSUM
	DELAY_KEY_WRITE MIN_ROWS MAX_ROWS AVG_ROW_LENGTH PACK_KEYS`)

// storageOptions only say how and where tables, columns and indexes are stored: no query sees a difference.
var storageOptions = wordSet(`TABLESPACE DIRECTORY STORAGE COMPRESSION AUTOEXTEND_SIZE PAGE_COMPRESSED
	PAGE_COMPRESSION_LEVEL PAGE_CHECKSUM TRANSACTIONAL TABLE_CHECKSUM SECONDARY_ENGINE ENGINE_ATTRIBUTE
	SECONDARY_ENGINE_ATTRIBUTE ENCRYPTION_KEY_ID COLUMN_FORMAT SECONDARY KEY_BLOCK_SIZE CLUSTERING`)

// optionName returns the word that an option or attribute is known by, such as DIRECTORY for DATA DIRECTORY='/x' and
// SECONDARY for NOT SECONDARY.
func optionName(option string) string {
	words := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(strings.TrimPrefix(option, "NOT "), "DATA "),
		"INDEX "))
	name, _, _ := strings.Cut(words[0], "=")
	return strings.ToUpper(strings.Trim(name, "`"))
}

// dropped records an option or attribute that the target's family does not have. The loss is called name unless another
// fits better.
func (m *mapping) dropped(name, column, option, of string) {
	word := optionName(option)
	_, value, _ := strings.Cut(strings.ToUpper(option), "=")
	switch {
	case word == "ENCRYPTION" || word == "ENCRYPTED":
		if value = strings.Trim(value, "'"); value == "Y" || value == "YES" || value == "1" {
			m.lose("encryption", column, "%s%s is dropped: the table is encrypted at rest only if %s does so by itself",
				option, of, m.flavor)
			return
		}
		m.note(name, column, "%s%s is dropped: %s has no such option", option, of, m.flavor)
	case strings.HasPrefix(option, "WITH PARSER"):
		m.lose("fulltext-parser", column, "%s%s is dropped: searches may find other rows", option, of)
	case word == "WITH" && strings.HasSuffix(option, "SYSTEM VERSIONING"),
		strings.HasPrefix(option, periodOption+"`SYSTEM_TIME`"),
		strings.HasPrefix(option, periodOption+"SYSTEM_TIME"):
		// The fatal loss of the history covers it.
	case strings.HasPrefix(option, periodOption):
		m.lose("period", column, "%s%s is dropped, and with it the rule that it begins before it ends", option, of)
	case storageOptions[word] || word == "WITHOUT":
		m.note(name, column, "%s%s is dropped: %s has no such option", option, of, m.flavor)
	default:
		m.lose(name, column, "%s%s is dropped: %s has no such option", option, of, m.flavor)
	}
}

// options keeps the table options that have a meaning on the target. Where files lie never moves.
func (m *mapping) options() {
	t := m.target
	kept := t.Options[:0]
	for _, option := range t.Options {
		switch word := optionName(option); {
		case word == "TABLESPACE", word == "DIRECTORY", word == "STORAGE":
			m.note("table-option", "", "%s is dropped: where files lie is the target's business", option)
		case m.crossing && !sharedOptions[word]:
			m.dropped("table-option", "", option, "")
		default:
			kept = append(kept, option)
		}
	}
	t.Options = kept
	m.partitions()
}

// columnExtra drops the attributes that only the other family has.
func (m *mapping) columnExtra(c *schema.Column) {
	if !m.crossing {
		return
	}
	for _, extra := range c.Extra {
		if strings.HasPrefix(extra, compressedColumn) {
			m.lose("compressed-column", c.Name, "the column is stored plainly: %s has no compressed columns", m.flavor)
		} else {
			m.dropped("column-option", c.Name, extra, "")
		}
	}
	c.Extra = nil
}

// indexExtra drops the options that only the other family has.
func (m *mapping) indexExtra(index *schema.Index) {
	if !m.crossing {
		return
	}
	if slices.Contains(index.Extra, schema.WithoutOverlaps) {
		m.fatal("without-overlaps", "", "%s has no WITHOUT OVERLAPS, which index %s needs", m.flavor, index.Name)
	}
	for _, extra := range index.Extra {
		if extra != schema.WithoutOverlaps {
			m.dropped("index-option", "", extra, " of index "+index.Name)
		}
	}
	index.Extra = nil
}
