package mysql

import (
	"fmt"
	"slices"
	"strings"
)

// resets are the values by which an option becomes what it is when nothing is said, as seen on MySQL 9.7 and MariaDB
// 10.11: an ALTER TABLE that leaves an option out does not change it. Options that are not listed, such as MariaDB's
// options of engines, take DEFAULT.
var resets = map[string]string{
	"KEY_BLOCK_SIZE": "0", "MIN_ROWS": "0", "MAX_ROWS": "0", "AVG_ROW_LENGTH": "0", "AUTOEXTEND_SIZE": "0",
	"CHECKSUM": "0", "TABLE_CHECKSUM": "0", "DELAY_KEY_WRITE": "0", "COMPRESSION": "''", "ENCRYPTION": "'N'",
	"CONNECTION": "''", "PASSWORD": "''", "INSERT_METHOD": "NO", "UNION": "()", "SECONDARY_ENGINE": "NULL",
	"ENGINE_ATTRIBUTE": "''", "SECONDARY_ENGINE_ATTRIBUTE": "''",
}

// tableOptions writes the options that differ. An option that cannot be changed by ALTER TABLE, such as a DATA
// DIRECTORY, is an error: the table cannot become what is planned.
func (a *alteration) tableOptions() error {
	from, to := a.from, a.to
	if !strings.EqualFold(from.Engine, to.Engine) {
		a.clause("ENGINE=%s", to.Engine)
	}
	if from.Charset != to.Charset || from.Collation != to.Collation {
		// Without CONVERT TO it is the default of columns that are added later, and changes no existing one.
		a.clause("DEFAULT CHARSET=%s COLLATE=%s", a.charsetName(to.Charset), a.collationName(to.Collation))
	}
	if from.RowFormat != to.RowFormat {
		format := to.RowFormat
		if format == "" {
			format = "DEFAULT"
		}
		a.clause("ROW_FORMAT=%s", format)
	}
	if from.Comment != to.Comment {
		a.clause("COMMENT=%s", Literal(to.Comment))
	}
	same := func(list []string, option string) bool {
		return slices.ContainsFunc(list,
			func(other string) bool { return optionText([]string{other}) == optionText([]string{option}) })
	}
	for _, option := range from.Options {
		name, fixed := optionName(option), fixedOption(option)
		replaced := slices.ContainsFunc(to.Options, func(other string) bool {
			return optionName(other) == name && fixedOption(other) == fixed
		})
		switch {
		case same(to.Options, option):
		case fixed:
			return fmt.Errorf("cannot take back %s", option)
		case replaced: // the loop below writes the new value
		default:
			value := resets[name]
			if value == "" || strings.HasPrefix(option, "`") {
				value = "DEFAULT"
			}
			text, _, _ := strings.Cut(option, "=")
			a.clause("%s=%s", text, value)
		}
	}
	for _, option := range to.Options {
		switch {
		case same(from.Options, option):
		case fixedOption(option):
			return fmt.Errorf("cannot add %s", option)
		default:
			a.clause("%s", option)
		}
	}
	return nil
}

// fixedOption returns whether an option is of a kind that is not NAME=value, and is not changed here: periods,
// tablespaces, where files lie, versioning.
func fixedOption(option string) bool {
	return !strings.Contains(option, "=") || strings.HasPrefix(option, periodOption) ||
		strings.Contains(option, " DIRECTORY=")
}
