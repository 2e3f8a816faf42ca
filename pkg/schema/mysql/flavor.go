package mysql

import (
	"fmt"
	"strconv"
	"strings"

	"wherry/pkg/schema"
)

// Flavor is which of the two families a server belongs to and its version, with what the two differ in. The zero
// value is neither: it has nothing that one of them learned at some version.
type Flavor schema.Flavor

// ParseFlavor reads what SELECT VERSION() returns, such as "8.0.36-28" or "5.5.5-10.11.4-MariaDB-log".
func ParseFlavor(version string) (Flavor, error) {
	f := Flavor{Family: schema.MySQL}
	text := version
	if strings.Contains(strings.ToLower(version), "mariadb") {
		f.Family = schema.MariaDB
		// MariaDB before 11 may prefix its version for old replicas (MDEV-4088).
		text = strings.TrimPrefix(text, "5.5.5-")
	}
	text, _, _ = strings.Cut(text, "-")
	parts := strings.SplitN(text, ".", 4)
	if len(parts) < 2 {
		return Flavor{}, fmt.Errorf("invalid server version %q", version)
	}
	for i, weight := range []int{10000, 100, 1} {
		if i >= len(parts) {
			break
		}
		n, err := strconv.Atoi(parts[i])
		if err != nil || n < 0 || n > 99 {
			return Flavor{}, fmt.Errorf("invalid server version %q", version)
		}
		f.Version += n * weight
	}
	return f, nil
}

// String returns the family and version, such as "MySQL 9.7.4".
func (f Flavor) String() string {
	return fmt.Sprintf("%s %d.%d.%d", f.Family, f.Version/10000, f.Version/100%100, f.Version%100)
}

// since returns whether the server is at least the version that its family learned something in; 0 is never.
func (f Flavor) since(mysql, mariadb int) bool {
	switch f.Family {
	case schema.MariaDB:
		return mariadb != 0 && f.Version >= mariadb
	case schema.MySQL:
		return mysql != 0 && f.Version >= mysql
	default:
		return false
	}
}

// HasInvisibleColumns returns whether columns may be INVISIBLE (MySQL manual 15.1.24.10, MDEV-10177).
func (f Flavor) HasInvisibleColumns() bool { return f.since(80023, 100303) }

// HasInvisibleIndexes returns whether an index can be hidden from the optimizer (MySQL manual 10.3.12 INVISIBLE,
// MDEV-7317 IGNORED).
func (f Flavor) HasInvisibleIndexes() bool { return f.since(80000, 100600) }

// HasDescIndexes returns whether DESC in an index is more than parsed (MySQL manual 10.3.13, MDEV-13756).
func (f Flavor) HasDescIndexes() bool { return f.since(80000, 100800) }

// HasFunctionalIndexes returns whether an index part may be an expression (MySQL manual 15.1.18; MariaDB has none).
func (f Flavor) HasFunctionalIndexes() bool { return f.since(80013, 0) }

// HasDefaultExpressions returns whether a default may be any expression (MySQL manual 13.6, MDEV-10134).
func (f Flavor) HasDefaultExpressions() bool { return f.since(80013, 100201) }

// HasBlobLiteralDefaults returns whether TEXT and BLOB take a literal default; MySQL takes only expressions
// (MySQL manual 13.6, MDEV-10134).
func (f Flavor) HasBlobLiteralDefaults() bool { return f.since(0, 100201) }

// HasChecks returns whether CHECK constraints are kept (MySQL manual 15.1.24.6, MDEV-7563).
func (f Flavor) HasChecks() bool { return f.since(80016, 100201) }

// HasChecksNotEnforced returns whether a CHECK may be NOT ENFORCED (MySQL manual 15.1.24.6; MariaDB has none).
func (f Flavor) HasChecksNotEnforced() bool { return f.since(80016, 0) }

// HasColumnChecks returns whether a column keeps a CHECK of its own; MySQL turns it into one of the table (MDEV-7563).
func (f Flavor) HasColumnChecks() bool { return f.since(0, 100201) }

// HasJSONType returns whether JSON is a type; on MariaDB it is an alias of LONGTEXT with a CHECK (MDEV-9144).
func (f Flavor) HasJSONType() bool { return f.since(50708, 0) }

// PrintsBareDoubles returns whether a whole double in a JSON document is printed as 1, like an integer, instead of 1.0
// (sql/json_dom.cc, wrapper_to_string, of MySQL 5.7 and 8.0).
func (f Flavor) PrintsBareDoubles() bool {
	return f.Family == schema.MySQL && f.Version != 0 && f.Version < 80000
}

// HasVectorType returns whether VECTOR is a type (MySQL manual 13.3.5, MDEV-34939).
func (f Flavor) HasVectorType() bool { return f.since(90000, 110701) }

// HasUUIDType returns whether UUID is a type (MDEV-4958).
func (f Flavor) HasUUIDType() bool { return f.since(0, 100700) }

// HasINET6Type returns whether INET6 is a type (MDEV-274).
func (f Flavor) HasINET6Type() bool { return f.since(0, 100500) }

// HasINET4Type returns whether INET4 is a type (MDEV-23287).
func (f Flavor) HasINET4Type() bool { return f.since(0, 101000) }

// HasSRIDColumns returns whether a column may be held to one SRID (MySQL manual 13.4.1; MariaDB does not print it).
func (f Flavor) HasSRIDColumns() bool { return f.since(80003, 0) }

// HasNotNullGenerated returns whether a generated column may be NOT NULL (MySQL manual 15.1.24.8; a syntax error on
// MariaDB).
func (f Flavor) HasNotNullGenerated() bool { return f.since(50706, 0) }

// HasUtf8mb3Names returns whether collations are called utf8mb3_x instead of utf8_x (MySQL 8.0.30 release notes,
// MDEV-8334).
func (f Flavor) HasUtf8mb3Names() bool { return f.since(80030, 100600) }

// HasSetVarHint returns whether a hint sets variables for one statement (MySQL manual 10.9.3, SET_VAR); MariaDB has SET
// STATEMENT.
func (f Flavor) HasSetVarHint() bool { return f.since(80003, 0) }

// HasRowAlias returns whether INSERT takes a row alias, INSERT .. AS new, in place of VALUES() (MySQL manual 15.2.7.2).
func (f Flavor) HasRowAlias() bool { return f.since(80019, 0) }

// HasInvisiblePrimaryKeys returns whether the server may add a primary key to a table that has none
// (MySQL 8.0.30 release notes, sql_generate_invisible_primary_key).
func (f Flavor) HasInvisiblePrimaryKeys() bool { return f.since(80030, 0) }

// HasShowBinaryLogStatus returns whether SHOW BINARY LOG STATUS replaces SHOW MASTER STATUS (MySQL 8.2.0 release
// notes).
func (f Flavor) HasShowBinaryLogStatus() bool { return f.since(80200, 0) }

// HasShowReplicas returns whether SHOW REPLICA STATUS is understood (MySQL 8.0.22 release notes, MDEV-20220).
func (f Flavor) HasShowReplicas() bool { return f.since(80022, 100501) }

// LogsCascades returns whether rows changed by a foreign key's action are in the binlog; before, InnoDB changed them
// unseen (MySQL 9.6.0 release notes; MariaDB does not).
func (f Flavor) LogsCascades() bool { return f.since(90600, 0) }

// HasForeignKeyNamesPerTable returns whether two tables of a database may have foreign keys of one name (MDEV-28933).
func (f Flavor) HasForeignKeyNamesPerTable() bool { return f.since(0, 120100) }

// HasCheckNamesPerTable returns whether two tables of a database may have checks of one name (MySQL manual, "CHECK
// Constraints": they may not).
func (f Flavor) HasCheckNamesPerTable() bool { return f.Family == schema.MariaDB }

// HasStandardForeignKeys returns whether a foreign key has to reference a whole unique key unless
// restrict_fk_on_non_standard_key is turned off (MySQL 8.4.0 release notes).
func (f Flavor) HasStandardForeignKeys() bool { return f.since(80400, 0) }

// HasNegativeZero returns whether FLOAT and DOUBLE store -0 as such for sure. MariaDB 10.5.23 does, 10.11.19 and 11.8.9
// store 0 (all three seen).
func (f Flavor) HasNegativeZero() bool {
	return f.Family == schema.MariaDB && f.Version < 100600 || f.Family == schema.MySQL
}

// MayHaveNegativeZero returns whether FLOAT and DOUBLE may hold -0. No release note says when MariaDB ceased to store
// it.
func (f Flavor) MayHaveNegativeZero() bool {
	return f.Family == schema.MariaDB && f.Version < 101119 || f.Family == schema.MySQL
}

// HasGTIDSets returns whether positions are sets of UUID:interval; MariaDB's are lists of domain-server-sequence.
func (f Flavor) HasGTIDSets() bool { return f.since(50605, 0) }

// HasSnapshotPosition returns whether a consistent snapshot shows its binlog position (MDEV-136).
func (f Flavor) HasSnapshotPosition() bool { return f.since(0, 50300) }

// HasDDLThreads returns whether indexes are built by several threads with a buffer of their own (MySQL 8.0.27 release
// notes).
func (f Flavor) HasDDLThreads() bool { return f.since(80027, 0) }

// HasFullCollationNames returns whether a collation's name may lack its character set (MDEV-27009).
func (f Flavor) HasFullCollationNames() bool { return f.since(0, 101001) }

// HasSuperReadOnly returns whether even accounts with SUPER can be kept from writing (MySQL manual, super_read_only).
func (f Flavor) HasSuperReadOnly() bool { return f.since(50708, 0) }

// LogsTemporary returns whether a session in MIXED format logs what it does to temporary tables (MySQL 8.0.4 release
// notes). In STATEMENT format all do.
func (f Flavor) LogsTemporary() bool { return f.Family == schema.MariaDB || f.Version < 80004 }

// HasRenameColumn returns whether RENAME COLUMN is understood (MySQL manual 15.1.9, MDEV-16290).
func (f Flavor) HasRenameColumn() bool { return f.since(80003, 100502) }

// HasRenameIndex returns whether RENAME INDEX is understood (MySQL 5.7.1 release notes, MDEV-7318).
func (f Flavor) HasRenameIndex() bool { return f.since(50701, 100502) }

// renamesInExpressions returns whether RENAME COLUMN puts the new name into generated columns, defaults, checks and
// partitions, also when two names are exchanged. MySQL refuses the statement unless it writes all of them anew (errors
// 3108, 3959, 3837, 3766, 3855).
func (f Flavor) renamesInExpressions() bool { return f.Family == schema.MariaDB && f.HasRenameColumn() }

// HasInlineReferences returns whether REFERENCES in a column's definition makes a foreign key. Before, servers read it
// and ignored it (MySQL 9.0.0 release notes, MDEV-20480).
func (f Flavor) HasInlineReferences() bool { return f.since(90000, 100500) }

// HasClassicHashes returns whether MD5() and SHA1() are there; MySQL 9.6 and later have them in a component that is not
// installed by itself (MySQL 9.6.0 release notes; seen on 9.7).
func (f Flavor) HasClassicHashes() bool { return f.Family == schema.MariaDB || f.Version < 90600 }

// losesKeysByRename returns whether an ALTER TABLE that copies the table and renames it drops its foreign keys without
// an error (seen on MariaDB 10.11.19). Such a table is renamed first, by a statement of its own.
func (f Flavor) losesKeysByRename() bool { return f.Family == schema.MariaDB }

// HasRoundFractions returns whether sql_mode TIME_ROUND_FRACTIONAL makes fractions of times be rounded (MDEV-16991).
func (f Flavor) HasRoundFractions() bool { return f.since(0, 100401) }

// HasTruncateFractions returns whether sql_mode TIME_TRUNCATE_FRACTIONAL makes them be cut (MySQL manual 7.1.11).
func (f Flavor) HasTruncateFractions() bool { return f.since(80000, 0) }

// hasBlockModes returns whether block_encryption_mode decides what AES_ENCRYPT makes (MySQL 5.6.17 release notes,
// MDEV-9069).
func (f Flavor) hasBlockModes() bool { return f.since(50617, 110200) }

// hasUTF8Default returns whether default_collation_for_utf8mb4 decides how literals compare (MySQL 8.0.11 release
// notes).
func (f Flavor) hasUTF8Default() bool { return f.since(80011, 0) }
